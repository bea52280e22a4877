import NIOCore
import Testing

@testable import BridgeCore

struct WaitingPacketsTests {
    private static func packets(_ identifiers: Range<UInt16>) -> [Outgoing] {
        identifiers.map { Outgoing(kind: .publish, packetID: $0, packet: KeptPacket(ByteBuffer(integer: $0))) }
    }

    @Test func packetsLeaveInTheirOrder() {
        var waiting = WaitingPackets()
        #expect(waiting.isEmpty && waiting.first == nil && waiting.map(\.packetID).isEmpty)
        for packet in Self.packets(1..<40) { waiting.append(packet) }
        for expected in UInt16(1)..<40 {
            #expect(waiting.first?.packetID == expected)
            waiting.removeFirst()
        }
        #expect(waiting.isEmpty && waiting.first == nil)
        waiting.append(Self.packets(7..<8)[0])
        #expect(waiting.map(\.packetID) == [7])
    }

    @Test func aPacketIsTakenOutOfItsPlace() {
        var waiting = WaitingPackets(Self.packets(1..<6))
        #expect(waiting.removeFirst { $0.packetID == 3 }?.packetID == 3)
        #expect(waiting.removeFirst { $0.packetID == 3 } == nil)
        #expect(waiting.map(\.packetID) == [1, 2, 4, 5])
        var empty = WaitingPackets()
        #expect(empty.removeFirst { _ in true } == nil)
    }

    @Test func allPacketsAreChanged() {
        var waiting = WaitingPackets(Self.packets(1..<4))
        waiting.changeAll { $0.wasSent = $0.packetID != 2 }
        #expect(waiting.map(\.wasSent) == [true, false, true])
        var empty = WaitingPackets()
        empty.changeAll { $0.wasSent = true }
        #expect(empty.isEmpty)
    }
}
