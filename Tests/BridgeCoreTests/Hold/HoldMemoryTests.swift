import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What a held session may keep, and what becomes of the rest.
@Suite struct HoldMemoryTests {
    private func message(_ id: UInt16, _ qos: QoS = .atLeastOnce, _ length: Int = 100) -> Packet {
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
        #expect(
            try bench.comeBack(true).up == [message(1, .atLeastOnce), message(8, .atMostOnce), message(9, .atMostOnce)])
    }

    @Test func othersMayUseUpTheWhole() throws {
        var bench = try HoldBench(.v5_0, total: 1_000)
        _ = try bench.bench.device(bench.bench.connect())
        _ = bench.bench.session.uplinkReady()
        _ = try bench.bench.broker(.connack(Connack()))
        bench.budget.charge(1_000)
        // On a leg that is there all goes on, but can't be done again.
        #expect(bench.accepts)
        #expect(try bench.device(message(1)).up.count == 1)
        #expect(bench.accepts)
        var other = bench
        #expect(try other.lose().end == .uplinkLost("idle"))
        _ = try bench.broker(.ack(.puback, 1))
        #expect(try bench.lose().end == nil)
        #expect(!bench.accepts)
        bench.budget.giveBack(1_000)
        #expect(bench.accepts)
    }

    @Test func anIdleSessionKeepsNothing() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(message(1))
        _ = try bench.broker(.ack(.puback, 1))
        _ = try bench.broker(.message("b", .exactlyOnce, 1))
        _ = try bench.device(.ack(.pubrec, 1))
        _ = try bench.broker(.ack(.pubrel, 1))
        _ = try bench.device(.ack(.pubcomp, 1))
        guard case .connected(let connected) = bench.bench.session.state else { return }
        #expect(connected.hold?.journal.isEmpty == true && bench.budget.usedBytes == 0)
    }

    // MARK: Acknowledgements

    /// However often it says so, it is one thing that waits.
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

    /// What only the device's PUBREL frees does not keep it from being read.
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

    /// The copies that had to give way are missed only where the broker has lost the session, and then the device hears it.
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

    /// Others need the room of all: no copies are kept, and nobody waits for what only the device could free.
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

    // MARK: Long messages

    private func begin(_ bench: HoldBench, _ qos: QoS, _ id: UInt16?, _ length: Int) throws -> FrameDecoder.Element {
        let publish = PublishHead(qos: qos, topic: "long", packetID: id)
        let head = try publish.encode(version: bench.version, payloadLength: length)
        return .publishBegin(
            StreamedPublish(head: head, flags: qos.rawValue << 1, publish: publish, payloadLength: length))
    }

    private func piece(_ count: Int, _ character: String = "x") -> ByteBuffer {
        ByteBuffer(string: String(repeating: character, count: count))
    }

    @Test func aLongMessageBeginsAgain() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = bench.bench.session.deviceSent(try begin(bench, .atLeastOnce, 1, 300))
        #expect(bench.bench.session.deviceSent(.payload(piece(100, "a"), isLast: false)).toUplink.count == 1)
        try bench.lose()
        #expect(bench.bench.session.deviceSent(.payload(piece(100, "b"), isLast: false)).isEmpty)
        let connect = try bench.ready()
        #expect(connect.up.count == 1)
        let back = try bench.bench.broker(.connack(Connack(sessionPresent: true)))
        let last = bench.bench.session.deviceSent(.payload(piece(100, "c"), isLast: true))
        let whole = try HoldBench.packets(back.toUplink + last.toUplink, .v5_0)
        guard case .publish(let head, let payload)? = whole.first else {
            Issue.record("no PUBLISH")
            return
        }
        #expect(whole.count == 1 && !head.isDuplicate && head.packetID == 1)
        #expect(String(buffer: payload) == ["a", "b", "c"].map { String(repeating: $0, count: 100) }.joined())
        _ = try bench.broker(.ack(.puback, 1))
        #expect(bench.budget.usedBytes == 0)
    }

    @Test func aLongMessageGoesOnAfterSilence() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 250)
        _ = bench.bench.session.deviceSent(try begin(bench, .atLeastOnce, 1, 300))
        _ = try bench.silence()
        #expect(bench.bench.session.deviceSent(.payload(piece(100, "a"), isLast: false)).isEmpty)
        let answered = bench.bench.session.uplinkAnswered(after: .seconds(1))
        #expect(answered.toUplink == [piece(100, "a")])
        #expect(bench.bench.session.deviceSent(.payload(piece(200, "b"), isLast: true)).toUplink.count == 1)
        #expect(bench.budget.usedBytes == 0)
    }

    @Test func oneThatIsTooLongIsNotHeld() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 200)
        _ = bench.bench.session.deviceSent(try begin(bench, .atLeastOnce, 1, 300))
        _ = bench.bench.session.deviceSent(.payload(piece(300), isLast: true))
        #expect(bench.accepts)
        var acknowledged = bench
        #expect(try bench.lose().end == .uplinkLost("idle"))
        _ = try acknowledged.broker(.ack(.puback, 1))
        #expect(try acknowledged.lose().end == nil)
    }

    @Test func atQoS0TheRestIsThrownAway() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 200)
        _ = bench.bench.session.deviceSent(try begin(bench, .atMostOnce, nil, 300))
        _ = bench.bench.session.deviceSent(.payload(piece(100), isLast: false))
        #expect(try bench.lose().end == nil)
        #expect(bench.bench.session.deviceSent(.payload(piece(100), isLast: false)).isEmpty)
        #expect(try bench.comeBack(true).up.isEmpty)
        #expect(bench.bench.session.deviceSent(.payload(piece(100), isLast: true)).isEmpty)
        #expect(try bench.device(.message("a")).up == [.message("a")])
    }

    @Test func oneThatBeginsWhileHeldIsReadAsFarAsTheBoundAllows() throws {
        var bench = try HoldBench.connected(.v5_0, buffer: 400)
        try bench.lose()
        _ = bench.bench.session.deviceSent(try begin(bench, .atLeastOnce, 1, 1_000))
        var sent = 0
        while bench.accepts {
            _ = bench.bench.session.deviceSent(.payload(piece(100), isLast: false))
            sent += 1
        }
        #expect(sent < 5)
        _ = try bench.ready()
        let back = try bench.bench.broker(.connack(Connack(sessionPresent: true)))
        #expect(back.toUplink.count == sent + 1 && bench.accepts)
        let rest = bench.bench.session.deviceSent(.payload(piece(1_000 - 100 * sent), isLast: true))
        #expect(try HoldBench.packets(back.toUplink + rest.toUplink, .v5_0).count == 1)
    }

    /// The answers wait for the end of the delivery, but not without bound.
    @Test func pingsInsideALongDelivery() throws {
        var bench = try HoldBench.connected(.v3_1_1)
        _ = bench.bench.session.uplinkSent(try begin(bench, .atMostOnce, nil, 300))
        _ = try bench.silence()
        let bytes = try Packet.pingreq.encode(version: .v3_1_1)
        let ping = FrameDecoder.Element.packet(try Frame(packet: bytes, version: .v3_1_1))
        for _ in 0..<10_000 { #expect(bench.bench.session.deviceSent(ping).isEmpty) }
        _ = try bench.answer(after: .seconds(1))
        let end = bench.bench.session.uplinkSent(.payload(piece(300), isLast: true)).toDevice
        #expect(end.count == 1 + PacketStream.maximumPongs)
        #expect(try bench.device(.pingreq).up == [.pingreq])
    }

    @Test func aDeliveryThatIsCutOffClosesTheDevice() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = bench.bench.session.uplinkSent(try begin(bench, .atMostOnce, nil, 300))
        let lost = try bench.outcome(bench.bench.session.uplinkLost(.network(description: "idle")))
        #expect(lost.end == .uplinkLost("idle") && lost.down.isEmpty && lost.actions.closesDevice)
    }
}
