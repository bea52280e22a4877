import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

// Long messages.
extension HoldMemoryTests {
    private func begin(
        _ bench: HoldBench, _ qos: QoS, _ id: UInt16?, _ length: Int, again isDuplicate: Bool = false
    ) throws -> FrameDecoder.Element {
        let publish = PublishHead(isDuplicate: isDuplicate, qos: qos, topic: "long", packetID: id)
        let head = try publish.encode(version: bench.version, payloadLength: length)
        let flags = qos.rawValue << 1 | (isDuplicate ? 0b1000 : 0)
        return .publishBegin(StreamedPublish(head: head, flags: flags, publish: publish, payloadLength: length))
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

    /// A client that writes byte by byte: its pieces take about as much memory as they have bytes.
    @Test(arguments: [true, false]) func aLongMessageInTinyPieces(isOpen: Bool) throws {
        var bench = try HoldBench.connected(.v5_0)
        if !isOpen { try bench.lose() }
        _ = bench.bench.session.deviceSent(try begin(bench, .atLeastOnce, 1, 20_000))
        for number in 0..<19_999 {
            let byte = ByteBuffer(bytes: [UInt8(truncatingIfNeeded: number)])
            _ = bench.bench.session.deviceSent(.payload(byte, isLast: false))
        }
        let buffers = try #require(bench.bench.session.device?.hold?.journal.ledger?.long?.kept).buffers
        #expect(buffers.count <= 2 + 20_000 / Burst.longest + 1)
        #expect(buffers.reduce(0) { $0 + $1.storageCapacity } <= 2 * 20_000 + Burst.longest)
        let bytes = buffers.dropFirst().reduce(into: [UInt8]()) { $0 += $1.readableBytesView }
        #expect(bytes == (0..<19_999).map { UInt8(truncatingIfNeeded: $0) })
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
        #expect(try bench.lose().end == .uplinkLost("idle", .sending))
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
        let head = try begin(bench, .atLeastOnce, 1, 1_000)
        guard case .publishBegin(let publish) = head else { throw HoldBench.BenchError.noConnect }
        _ = bench.bench.session.deviceSent(head)
        var sent = 0
        while bench.accepts {
            _ = bench.bench.session.deviceSent(.payload(piece(100), isLast: false))
            sent += 1
        }
        #expect(sent < 5)
        _ = try bench.ready()
        let back = try bench.bench.broker(.connack(Connack(sessionPresent: true)))
        let bytes = back.toUplink.reduce(0) { $0 + $1.readableBytes }
        #expect(bytes == publish.head.readableBytes + 100 * sent && bench.accepts)
        let rest = bench.bench.session.deviceSent(.payload(piece(1_000 - 100 * sent), isLast: true))
        #expect(try HoldBench.packets(back.toUplink + rest.toUplink, .v5_0).count == 1)
    }

    /// The answers wait for the end of the delivery, but within a bound.
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
        #expect(lost.end == .uplinkLost("idle", .receiving) && lost.down.isEmpty && lost.actions.closesDevice)
    }

    /// The bridge throws a delivery away, and the leg is lost inside it. The device knows nothing of it, so nobody else
    /// would answer the broker, which counts it in the Receive Maximum.
    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce], [true, false])
    func aDeliveryThatIsThrownAwayIsAnsweredAfterALoss(_ qos: QoS, _ isPresent: Bool) throws {
        let routes = [Route(local: "#", remote: "r/#")]
        var bench = try HoldBench.connected(.v5_0, routes: routes) { $0.cleanStart = false }
        let unrouted = try begin(bench, qos, 1, 300)
        #expect(bench.bench.session.uplinkSent(unrouted).isEmpty)
        #expect(bench.bench.session.uplinkSent(.payload(piece(100), isLast: false)).isEmpty)
        #expect(try bench.lose().opens)
        let back = try bench.comeBack(isPresent)
        #expect(back.up.isEmpty && back.down.isEmpty)
        let answer = Packet.ack(qos == .exactlyOnce ? .pubrec : .puback, 1)
        let repeated = bench.bench.session.uplinkSent(isPresent ? try begin(bench, qos, 1, 300, again: true) : unrouted)
        let end = bench.bench.session.uplinkSent(.payload(piece(300), isLast: true))
        #expect(try bench.outcome(repeated + end).up == [answer] && (repeated + end).toDevice.isEmpty)
        if qos == .exactlyOnce { #expect(try bench.broker(.ack(.pubrel, 1)).up == [.ack(.pubcomp, 1)]) }
        // The identifier is free again.
        let next = Packet.message("r/a", qos, 1)
        #expect(try bench.broker(next).down == [.message("a", qos, 1)])
        #expect(bench.budget.usedBytes == 0)
    }
}
