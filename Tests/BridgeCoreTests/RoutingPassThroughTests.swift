import MQTTCodec
import NIOCore
import TestSupport
import Testing

@testable import BridgeCore

@Suite("Routing: unchanged and streamed packets")
struct RoutingPassThroughTests {
    static let both: [MQTTVersion] = [.v3_1_1, .v5_0]

    @Test("packets without topics go on as the slice that came in", arguments: both)
    func untouched(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        for packet in [
            Packet.pingreq, .pubcomp(1), .puback(2), .pubrec(3), .pubrel(4), .disconnect(Disconnect()),
        ] {
            #expect(try harness.device(packet) == .unchanged(packet))
        }
        let codes: [UInt8] = version == .v5_0 ? [0] : []
        for packet in [
            Packet.pingresp, .connack(Connack(sessionPresent: true)), .pubcomp(1), .puback(2), .pubrec(3), .pubrel(4),
            .suback(5, [1]), .unsuback(6, codes),
        ] {
            #expect(try harness.broker(packet) == .unchanged(packet))
        }
    }

    @Test("without routes every frame passes as it came, without being parsed", arguments: both)
    func noRoutes(version: MQTTVersion) throws {
        var router = PacketRouter(routes: .none, version: version)
        // A PUBLISH whose topic is longer than the packet, a SUBSCRIBE without a filter, a SUBACK with an invalid code.
        for bytes in [[0x30, 0x02, 0xFF, 0xFF], [0x82, 0x02, 0, 1], [0x90, 0x03, 0, 1, 0x7F]] as [[UInt8]] {
            let frame = try Frame(packet: ByteBuffer(bytes: bytes), version: version)
            #expect(try router.fromDevice(frame).forward.map { $0.sharesBytes(with: frame.bytes) } == [true])
            #expect(try router.fromBroker(frame).forward.map { $0.sharesBytes(with: frame.bytes) } == [true])
        }
        let head = StreamedPublish(
            head: ByteBuffer(bytes: [0x30]), flags: 0, publish: PublishHead(topic: "any"), payloadLength: 1)
        #expect(try router.fromDevice(head) == PacketRouter.RoutedStream(head: head.head))
        #expect(try router.fromBroker(head) == PacketRouter.RoutedStream(head: head.head))
    }

    // MARK: streamed PUBLISH

    private func begin(
        _ head: PublishHead, version: MQTTVersion, payloadLength: Int = 100_000
    ) throws -> StreamedPublish {
        let bytes = try head.encode(version: version, payloadLength: payloadLength)
        let first = try #require(bytes.getInteger(at: bytes.readerIndex, as: UInt8.self))
        return StreamedPublish(head: bytes, flags: first & 0x0F, publish: head, payloadLength: payloadLength)
    }

    @Test("a streamed PUBLISH is routed by its head", arguments: both)
    func streamed(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        let sent = PublishHead(qos: .atLeastOnce, topic: "telemetry/t", packetID: 4)
        var expected = sent
        expected.topic = "device/d1/telemetry/t"
        let routed = try harness.router.fromDevice(begin(sent, version: version))
        #expect(routed.head == (try expected.encode(version: version, payloadLength: 100_000)))
        #expect(routed.reply == [])
        #expect(routed.close == nil)

        let down = PublishHead(qos: .atLeastOnce, topic: "device/d1/commands/x", packetID: 4)
        var local = down
        local.topic = "commands/x"
        #expect(
            try harness.router.fromBroker(begin(down, version: version)).head
                == local.encode(version: version, payloadLength: 100_000))
    }

    @Test("a streamed PUBLISH that no route changes keeps its head", arguments: both)
    func streamedUnchanged(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        let same = try begin(PublishHead(qos: .exactlyOnce, topic: "same/t", packetID: 4), version: version)
        #expect(try harness.router.fromDevice(same).head?.sharesBytes(with: same.head) == true)
        #expect(try harness.router.fromBroker(same).head?.sharesBytes(with: same.head) == true)
    }

    @Test("a streamed PUBLISH that is dropped is discarded, and acknowledged after its end", arguments: both)
    func streamedDropped(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .drop)
        let other = try begin(PublishHead(qos: .exactlyOnce, topic: "other", packetID: 4), version: version)
        let pubrec = try Packet.pubrec(4).encode(version: version)
        #expect(try harness.router.fromDevice(other) == PacketRouter.RoutedStream(reply: [pubrec]))
        #expect(try harness.device(.pubrel(4)) == .reply(.pubcomp(4)))
        #expect(try harness.router.fromBroker(other) == PacketRouter.RoutedStream(reply: [pubrec]))
        #expect(try harness.broker(.pubrel(4)) == .reply(.pubcomp(4)))
    }

    @Test("a refused streamed PUBLISH is answered in 5.0, and closes the session in 3.1.1")
    func streamedRefused() throws {
        var new = try RoutingHarness(.v5_0, .reject)
        let other = PublishHead(qos: .atLeastOnce, topic: "other", packetID: 4)
        #expect(
            try new.router.fromDevice(begin(other, version: .v5_0))
                == PacketRouter.RoutedStream(reply: [Packet.puback(4, .notAuthorized).encode(version: .v5_0)]))
        var old = try RoutingHarness(.v3_1_1, .reject)
        let routed = try old.router.fromDevice(begin(other, version: .v3_1_1))
        #expect(routed.head == nil)
        #expect(routed.close?.reasonCode == .notAuthorized)
    }

    @Test("a streamed PUBLISH that becomes longer than MQTT allows throws")
    func streamedTooLarge() throws {
        var harness = try RoutingHarness(.v3_1_1, .reject)
        let head = PublishHead(topic: "telemetry/t")
        let largest = 268_435_455 - 2 - head.topic.utf8.count
        let stream = try begin(head, version: .v3_1_1, payloadLength: largest)
        #expect(throws: MQTTError.self) { try harness.router.fromDevice(stream) }
    }

    @Test("decoder and router together give the rewritten head, then the payload as it came", arguments: both)
    func decodedAndRouted(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        let payload = String(repeating: "p", count: 5_000)
        let sent = try Packet.publish("telemetry/t", qos: .atLeastOnce, id: 9, payload: payload).encode(
            version: version)
        var decoder = FrameDecoder(maximumPacketSize: 10_000, streamingThreshold: 1_000, maximumBufferedSize: 1_000)
        decoder.version = version
        var received = ByteBuffer()
        for chunk in stride(from: 0, to: sent.readableBytes, by: 700) {
            let length = min(700, sent.readableBytes - chunk)
            decoder.append(try #require(sent.getSlice(at: sent.readerIndex + chunk, length: length)))
            while let element = try decoder.next() {
                switch element {
                case .packet, .unreadBegin: Issue.record("not streamed")
                case .publishBegin(let begin):
                    received.writeImmutableBuffer(try #require(try harness.router.fromDevice(begin).head))
                case .payload(let bytes, _): received.writeImmutableBuffer(bytes)
                }
            }
        }
        #expect(
            try RoutingHarness.Outcome.packet(in: [received], version: version)
                == .publish("device/d1/telemetry/t", qos: .atLeastOnce, id: 9, payload: payload))
    }

    // MARK: anything

    @Test("no bytes can trap", arguments: 0..<4)
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for version in MQTTVersion.allCases {
            let packets: [Packet] = [
                .publish("telemetry/t", qos: .exactlyOnce, id: 1, retain: true),
                .publish("other", qos: .atLeastOnce, id: 2),
                .publish("low/x", qos: .exactlyOnce, id: 3), .publish("mid/x", qos: .exactlyOnce, id: 4),
                .subscribe(5, ("#", .exactlyOnce), ("other", .atMostOnce)), .unsubscribe(6, "#", "other"),
                .puback(4), .pubrel(1), .pubrec(1), .suback(5, [0, 1, 2, 0, 0, 0]),
                .unsuback(6, version == .v5_0 ? [0, 0, 0, 0, 0, 0] : []),
                .publish("device/d1/commands/x", qos: .exactlyOnce, id: 7),
            ]
            let encoded = try packets.map { Array(try $0.encode(version: version).readableBytesView) }
            for unrouted in UnroutedPolicy.allCases {
                var harness = try RoutingHarness(version, unrouted)
                for _ in 0..<3_000 {
                    var bytes = encoded[Int.random(in: 0..<encoded.count, using: &random)]
                    for _ in 0..<Int.random(in: 0..<3, using: &random) {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                            in: 0...255, using: &random)
                    }
                    guard let frame = try? Frame(packet: ByteBuffer(bytes: bytes), version: version) else { continue }
                    _ = try? harness.router.fromDevice(frame)
                    _ = try? harness.router.fromBroker(frame)
                }
            }
        }
    }
}
