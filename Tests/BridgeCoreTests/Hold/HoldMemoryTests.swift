import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import BridgeCore

/// What a held session may keep, and what happens to the rest.
@Suite struct HoldMemoryTests {
    func message(_ id: UInt16, _ qos: QoS = .atLeastOnce, _ length: Int = 100) -> Packet {
        .publish(
            "a", qos: qos, id: qos == .atMostOnce ? nil : id,
            payload: "\(id) " + String(repeating: "x", count: length))
    }

    @Test func whatIsNotAcknowledgedCounts() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 600)
        for id in 1...3 as ClosedRange<UInt16> {
            #expect(bench.accepts)
            #expect(try bench.device(message(id, .exactlyOnce)).up.count == 1)
        }
        #expect(!bench.accepts)
        // From PUBREC on the message is only a copy that gives way.
        _ = try bench.broker(.ack(.pubrec, 1))
        #expect(bench.accepts)
        _ = try bench.broker(.ack(.pubrec, 2))
        _ = try bench.broker(.ack(.pubrec, 3))
        #expect((1...600).contains(bench.budget.usedBytes))
        for id in 1...3 as ClosedRange<UInt16> {
            _ = try bench.device(.ack(.pubrel, id))
            _ = try bench.broker(.ack(.pubcomp, id))
        }
        #expect(bench.budget.usedBytes == 0)
    }

    @Test func readingStopsWhileHeld() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 600)
        try bench.lose()
        var sent: [Packet] = []
        for id in 1...10 as ClosedRange<UInt16> where bench.accepts {
            sent.append(message(id, id % 2 == 0 ? .atMostOnce : .atLeastOnce))
            _ = try bench.device(sent[sent.count - 1])
        }
        #expect(sent.count == 3)
        #expect(try bench.comeBack(true).up == sent)
        #expect(bench.accepts)
    }

    @Test func theOldestAtQoS0MakeRoom() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 800, qos0: .dropOldest)
        try bench.lose()
        _ = try bench.device(message(1, .atLeastOnce))
        for id in 2...9 as ClosedRange<UInt16> {
            #expect(bench.accepts)
            _ = try bench.device(message(id, .atMostOnce))
        }
        let back = try bench.comeBack(true)
        #expect(back.up == [message(1, .atLeastOnce), message(8, .atMostOnce), message(9, .atMostOnce)])
        #expect(back.notes.last == .messagesDisplaced(6))
        // That is said once.
        try bench.lose()
        #expect(try bench.comeBack(true).notes.count == 1)
    }

    @Test func othersMayUseUpTheWhole() throws {
        var bench = try HoldBench(.v5_0, total: 1_000)
        _ = try bench.bench.device(bench.bench.connect())
        _ = bench.bench.session.uplinkReady()
        _ = try bench.bench.broker(.connack(Connack()))
        bench.budget.charge(1_000)
        // On an open leg everything is passed on, but can't be repeated.
        #expect(bench.accepts)
        #expect(try bench.device(message(1)).up.count == 1)
        #expect(bench.accepts)
        var other = bench
        #expect(try other.lose().end == .uplinkLost("idle", .sending))
        _ = try bench.broker(.ack(.puback, 1))
        #expect(try bench.lose().end == nil)
        #expect(!bench.accepts)
        bench.budget.giveBack(1_000)
        #expect(bench.accepts)
    }

    /// What waits for room is told once, as soon as there is some.
    @Test func roomIsAnnounced() {
        let budget = HoldBudget(limit: 1_000)
        let told = Count()
        let tell: @Sendable () -> Void = { told.value.wrappingAdd(1, ordering: .relaxed) }
        budget.charge(1_010)
        budget.whenRoom(tell)
        budget.whenRoom(tell)
        budget.giveBack(10)
        #expect(told.value.load(ordering: .relaxed) == 0)
        budget.giveBack(1)
        #expect(told.value.load(ordering: .relaxed) == 2)
        budget.charge(1)
        budget.giveBack(1)
        #expect(told.value.load(ordering: .relaxed) == 2)
        budget.whenRoom(tell)
        #expect(told.value.load(ordering: .relaxed) == 3)
        budget.charge(1)
        budget.whenRoom(tell)
        #expect(!budget.hasRoom(for: 1) && told.value.load(ordering: .relaxed) == 3)
        budget.limit = 1_001
        #expect(told.value.load(ordering: .relaxed) == 4)
    }

    private final class Count: Sendable {
        let value = Atomic(0)
    }

    /// The room of all sessions may come with no event of this one; its own room may not.
    @Test func onlySharedRoomIsAwaited() throws {
        for isFull in [true, false] {
            var bench = try HoldBench.connected(.v5_0, buffer: 600)
            try bench.lose()
            if isFull { bench.budget.charge(67_108_864) }
            #expect(bench.accepts == !isFull && bench.bench.session.awaitsSharedRoom)
            bench.budget.giveBack(isFull ? 67_108_864 : 0)
            for id in 1...4 as ClosedRange<UInt16> where bench.accepts { _ = try bench.device(message(id)) }
            #expect(!bench.accepts && !bench.bench.session.awaitsSharedRoom)
        }
    }

    @Test func anIdleSessionKeepsNothing() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(message(1))
        _ = try bench.broker(.ack(.puback, 1))
        _ = try bench.broker(.message("b", .exactlyOnce, 1))
        _ = try bench.device(.ack(.pubrec, 1))
        _ = try bench.broker(.ack(.pubrel, 1))
        _ = try bench.device(.ack(.pubcomp, 1))
        let connected = try #require(bench.bench.session.device)
        #expect(connected.hold?.journal.isEmpty == true && bench.budget.usedBytes == 0)
    }

    // MARK: Acknowledgements

    /// However often the device repeats it, one acknowledgement waits.
    @Test(arguments: [false, true]) func whatADeviceRepeatsWaitsOnce(isSilent: Bool) throws {
        var bench = try HoldBench.connected(.v5_0)
        for (id, qos) in [(UInt16(1), QoS.atLeastOnce), (2, .exactlyOnce)] {
            _ = try bench.broker(.message("b", qos, id))
        }
        if isSilent { _ = try bench.silence() } else { try bench.lose() }
        let repeated: [Packet] = [.ack(.pubrel, 7), .ack(.puback, 1), .ack(.pubrec, 2)]
        for packet in repeated { _ = try bench.device(packet) }
        let used = bench.budget.usedBytes
        #expect(used > 0)
        let encoded = try repeated.map {
            FrameDecoder.Element.packet(try Frame(packet: $0.encode(version: .v5_0), version: .v5_0))
        }
        for round in 0..<1_000_000 { _ = bench.bench.session.deviceSent(encoded[round % 3]) }
        #expect(bench.budget.usedBytes == used && bench.accepts)
        if isSilent {
            #expect(try bench.answer(after: .seconds(1)).up == repeated)
        } else {
            // The broker asks for the answers to its own messages by sending these again.
            #expect(try bench.comeBack(true).up == [.ack(.pubrel, 7)])
        }
        _ = try bench.broker(.ack(.pubcomp, 7))
        #expect(bench.budget.usedBytes == 0)
    }

    @Test(arguments: [false, true]) func releasesCount(isSessionPresent: Bool) throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 10_000)
        try bench.lose()
        var ids: [UInt16] = []
        for id in 1...UInt16.max where bench.accepts {
            ids.append(id)
            _ = try bench.device(.ack(.pubrel, id))
        }
        #expect((50...60).contains(ids.count))
        let back = try bench.comeBack(isSessionPresent)
        if isSessionPresent {
            #expect(back.up == ids.map { .ack(.pubrel, $0) })
            for id in ids { #expect(try bench.broker(.ack(.pubcomp, id)).down == [.ack(.pubcomp, id)]) }
        } else {
            #expect(back.up.isEmpty && back.down == ids.map { .ack(.pubcomp, $0) })
        }
        #expect(bench.accepts && bench.budget.usedBytes == 0)
    }

    /// The same on a leg that is there, until the broker has answered.
    @Test func releasesOfNothingCount() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 10_000)
        var ids: [UInt16] = []
        for id in 1...UInt16.max where bench.accepts {
            ids.append(id)
            #expect(try bench.device(.ack(.pubrel, id)).up == [.ack(.pubrel, id)])
        }
        #expect((70...80).contains(ids.count))
        for id in ids { _ = try bench.broker(.ack(.pubcomp, id)) }
        #expect(bench.accepts && bench.budget.usedBytes == 0)
    }

    /// What only the device's PUBREL frees does not keep the device from being read.
    @Test func messagesThatAwaitTheirReleaseDoNotCount() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 1_000)
        for id in 1...1_000 as ClosedRange<UInt16> {
            #expect(bench.accepts)
            _ = try bench.device(message(id, .exactlyOnce))
            _ = try bench.broker(.ack(.pubrec, id))
            #expect(bench.budget.usedBytes <= 1_000)
        }
        for id in 1...1_000 as ClosedRange<UInt16> {
            #expect(bench.accepts)
            _ = try bench.device(.ack(.pubrel, id))
            _ = try bench.broker(.ack(.pubcomp, id))
        }
        #expect(bench.budget.usedBytes == 0)
    }

    /// The copies that had to give way are missed only if the broker has lost the session, and then the device's
    /// session ends.
    @Test(arguments: [true, false]) func aCopyThatGaveWay(isSessionPresent: Bool) throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 600)
        for id in 1...4 as ClosedRange<UInt16> {
            _ = try bench.device(message(id, .exactlyOnce))
            _ = try bench.broker(.ack(.pubrec, id))
        }
        try bench.lose()
        let back = try bench.comeBack(isSessionPresent)
        if isSessionPresent {
            #expect(back.end == nil && back.up.isEmpty && bench.accepts)
        } else {
            #expect(back.end == .uplinkLost(Journal.copiesGone) && back.actions.closesDevice)
            #expect(bench.budget.usedBytes == 0)
        }
    }

    /// Other sessions need all the room: no copies are kept, and nothing waits for room that only the device could
    /// free.
    @Test func copiesGiveWayToOthers() throws {
        var bench = try HoldBench(.v5_0, total: 2_000)
        _ = try bench.bench.device(bench.bench.connect())
        _ = bench.bench.session.uplinkReady()
        _ = try bench.bench.broker(.connack(Connack()))
        _ = try bench.device(message(1, .exactlyOnce))
        _ = try bench.broker(.ack(.pubrec, 1))
        let used = bench.budget.usedBytes
        #expect(used > 0)
        bench.budget.charge(2_000 - used)
        #expect(bench.accepts)
        _ = try bench.device(message(2, .exactlyOnce))
        #expect(bench.budget.usedBytes == 2_000)
        _ = try bench.broker(.ack(.pubrec, 2))
        #expect(bench.accepts && bench.budget.usedBytes == 2_000 - used)
        for id in 1...2 as ClosedRange<UInt16> {
            _ = try bench.device(.ack(.pubrel, id))
            _ = try bench.broker(.ack(.pubcomp, id))
        }
        #expect(bench.budget.usedBytes == 2_000 - used)
    }

    @Test func aSliceIsNotKept() {
        var buffer = ByteBuffer(repeating: 0, count: 65_536)
        let slice = buffer.readSlice(length: 100) ?? ByteBuffer()
        #expect(KeptPacket(slice).first.storageCapacity < 1_024)
        let large = buffer.readSlice(length: 60_000) ?? ByteBuffer()
        #expect(KeptPacket(large).first.storageCapacity == large.storageCapacity)
    }
}
