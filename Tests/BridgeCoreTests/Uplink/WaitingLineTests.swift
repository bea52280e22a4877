import Testing

@testable import BridgeCore

@Suite struct WaitingLineTests {
    @Test func theLineIsInOrder() {
        var line = WaitingLine<Int, String>()
        #expect(line.isEmpty && line.first == nil)
        var wasThere = line.remove(1)
        #expect(!wasThere)
        for key in 1...4 { line.append(key, "\(key)") }
        line.prepend(0, "0")
        #expect(line.all == ["0", "1", "2", "3", "4"] && line.count == 5)
        wasThere = line.remove(2)
        #expect(wasThere)
        wasThere = line.remove(2)
        #expect(!wasThere)
        line.removeFirst()
        #expect(line.all == ["1", "3", "4"] && line.first == "1")
        line.remove(1)
        #expect(line.first == "3")
        // The value is back at the head of the line, once.
        line.prepend(4, "4 again")
        #expect(line.all == ["4 again", "3"] && line.count == 2)
        line.removeFirst()
        line.removeFirst()
        #expect(line.isEmpty && line.first == nil && line.entryCount == 0)
        line.removeFirst()
    }

    /// Entries of values that have left are dropped before they outnumber the others, wherever they stood.
    @Test(arguments: [false, true]) func aValueThatLeavesIsForgotten(fromTheEnd: Bool) {
        var line = WaitingLine<Int, Int>()
        let count = 20_000
        for key in 0..<count { line.append(key, key) }
        for key in 0..<count - 1 {
            let wasThere = line.remove(fromTheEnd ? count - 1 - key : key)
            #expect(wasThere)
            #expect(line.entryCount <= 2 * line.count + 17)
        }
        #expect(line.all == [fromTheEnd ? 0 : count - 1])
    }

    /// A value at the front that never leaves does not keep the entries behind it in memory.
    @Test func comingAndGoingTakesNoMemory() {
        var line = WaitingLine<Int, Int>()
        line.append(-1, -1)
        for key in 0..<100_000 {
            line.append(key, key)
            line.remove(key)
        }
        #expect(line.count == 1 && line.entryCount <= 19)
    }
}
