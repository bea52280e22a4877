import Testing

@testable import BridgeCore

struct PacketTableTests {
    /// Whatever happens to the table, it holds what a dictionary would hold. Few identifiers make many changes of each
    /// entry, and many make tables that grow and are full of neighbors.
    @Test(arguments: [3, 40, 1_000, 65_536])
    func itIsLikeADictionary(identifiers: Int) {
        var table = PacketTable<Int>()
        var dictionary: [UInt16: Int] = [:]
        for round in 0..<20_000 {
            // In the second half more is removed than added.
            let packetID = UInt16.random(in: 0...UInt16(identifiers - 1))
            switch Int.random(in: 0..<(round < 10_000 ? 6 : 10)) {
            case 0...2:
                table[packetID] = round
                dictionary[packetID] = round
            case 3:
                table[packetID]? += 1
                dictionary[packetID]? += 1
            case 4:
                table[packetID] = nil
                dictionary[packetID] = nil
            default:
                #expect(table.removeValue(forKey: packetID) == dictionary.removeValue(forKey: packetID))
            }
            #expect(table.count == dictionary.count && table.isEmpty == dictionary.isEmpty)
            #expect(table[packetID] == dictionary[packetID])
            #expect(table.contains(packetID) == (dictionary[packetID] != nil))
        }
        #expect(Dictionary(uniqueKeysWithValues: table.map { ($0.key, $0.value) }) == dictionary)
        #expect(table.keys.sorted() == dictionary.keys.sorted() && table.values.sorted() == dictionary.values.sorted())
    }

    @Test func allIdentifiersFit() {
        var table = PacketTable<UInt16>()
        for packetID in UInt16.min...UInt16.max { table[packetID] = packetID }
        #expect(table.count == 65_536)
        #expect((UInt16.min...UInt16.max).allSatisfy { table[$0] == $0 })
        for packetID in UInt16.min...UInt16.max { #expect(table.removeValue(forKey: packetID) == packetID) }
        #expect(table.isEmpty && table.keys.isEmpty && table.removeValue(forKey: 0) == nil)
    }

    /// A copy does not see what happens to the original.
    @Test func copiesAreIndependent() {
        var table = PacketTable<[Int]>()
        table[1] = [1]
        let copy = table
        table[1]?.append(2)
        table[2] = [3]
        #expect(copy[1] == [1] && copy[2] == nil && table[1] == [1, 2])
    }
}
