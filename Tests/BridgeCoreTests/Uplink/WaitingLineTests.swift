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
        // Back at the head of it, once.
        line.prepend(4, "4 again")
        #expect(line.all == ["4 again", "3"] && line.count == 2)
        line.removeFirst()
        line.removeFirst()
        #expect(line.isEmpty && line.first == nil && line.entryCount == 0)
        line.removeFirst()
    }

    /// Whoever has left is out of memory before there are more of them than of the others, wherever they stood.
    @Test(arguments: [false, true]) func whoLeavesIsForgotten(fromTheEnd: Bool) {
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

    /// One at the front that never leaves does not keep those behind it.
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
