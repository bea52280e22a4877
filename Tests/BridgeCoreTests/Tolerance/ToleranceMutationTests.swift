import MQTTCodec
import NIOCore
import TestSupport
import Testing

@testable import BridgeCore

/// Whatever a device sends, nothing traps, and without rules all of it reaches the broker as it came.
@Suite struct ToleranceMutationTests {
    private struct Play {
        var session: Session
        var device: FrameDecoder
        var sent = ByteBuffer()
        var toUplink = ByteBuffer()
        var end: SessionEnd?

        init(_ session: Session) {
            self.session = session
            device = FrameDecoder(
                maximumPacketSize: 4_096, streamingThreshold: 64, maximumBufferedSize: 2_048,
                reading: session.reading.device)
        }

        mutating func perform(_ actions: [SessionAction]) {
            for action in actions {
                switch action {
                case .identified(let identity):
                    device.version = identity.version
                    if identity.unread != nil { device.reading = .framesOnly }
                case .sendToUplink(let bytes): toUplink.writeImmutableBuffer(bytes)
                case .takeClientID: perform(session.clientIDTaken(.none))
                case .ended(let why): end = why
                default: break
                }
            }
        }

        /// Until the decoder is empty, or the session accepts no more.
        mutating func pump() {
            while end == nil, session.acceptsDeviceInput {
                do {
                    guard let element = try device.next() else { return }
                    switch element {
                    case .packet(let frame): sent.writeImmutableBuffer(frame.bytes)
                    case .publishBegin(let begin): sent.writeImmutableBuffer(begin.head)
                    case .unreadBegin(let begin): sent.writeImmutableBuffer(begin.start)
                    case .payload(let bytes, _): sent.writeImmutableBuffer(bytes)
                    }
                    perform(session.deviceSent(element))
                } catch {
                    perform(session.deviceMisbehaved(error, start: ByteBuffer()))
                }
            }
        }
    }

    private static let packets = OddPacket.connected.map(\.bytes)
    private static let connects = (OddPacket.connects + OddPacket.unreadableConnects).map(\.bytes)

    private func bytes(_ random: inout SplitMix64) -> [UInt8] {
        var bytes = Self.connects.randomElement(using: &random) ?? []
        if Bool.random(using: &random) { mutate(&bytes, &random) }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            var packet = Self.packets.randomElement(using: &random) ?? []
            if Bool.random(using: &random) { mutate(&packet, &random) }
            bytes += packet
        }
        // A long packet, whose head may be anything.
        let head = (0..<12).map { _ in UInt8.random(in: 0...255, using: &random) }
        if Bool.random(using: &random) {
            bytes +=
                [0x30 | UInt8.random(in: 0...15, using: &random), 0xC8, 1] + head + [UInt8](repeating: 7, count: 188)
        }
        return bytes
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard let index = bytes.indices.randomElement(using: &random) else { return }
        bytes[index] = UInt8.random(in: 0...255, using: &random)
    }

    @Test(.timeLimit(.minutes(1)), arguments: 0..<4)
    func allOfItReachesTheBroker(part: Int) throws {
        var random = SplitMix64(seed: 0x544F_4C00 + UInt64(part))
        var passed = 0
        for _ in 0..<3_000 {
            var play = Play(try SessionBench().session)
            play.device.append(ByteBuffer(bytes: bytes(&random)))
            play.pump()
            play.perform(play.session.uplinkReady())
            let connack: [UInt8] = play.device.version == .v5_0 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]
            let frame = try Frame(packet: ByteBuffer(bytes: connack), version: play.device.version ?? .v3_1_1)
            if play.end == nil { play.perform(play.session.uplinkSent(.packet(frame))) }
            play.pump()
            if case .notMQTT? = play.end { continue }
            // The packet that ended the session goes to the broker too, except for bytes that are no packet.
            if play.toUplink != play.sent { #expect(play.toUplink == play.sent) }
            passed += play.toUplink.readableBytes
        }
        #expect(passed > 50_000)
    }

    @Test(.timeLimit(.minutes(1)), arguments: 0..<4)
    func withRulesAndLossesNothingTraps(part: Int) throws {
        var random = SplitMix64(seed: 0x544F_4C10 + UInt64(part))
        let hold = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1 << 20))
        for _ in 0..<2_000 {
            let routes = Bool.random(using: &random) ? [Route(local: "a/#", remote: "b/#")] : []
            var play = Play(try SessionBench(routes: routes, unrouted: .pass, hold: hold).session)
            play.device.append(ByteBuffer(bytes: bytes(&random)))
            for _ in 0..<12 {
                play.pump()
                let isNew = play.device.version == .v5_0
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    play.perform(play.session.uplinkReady())
                    let connack: [UInt8] = isNew ? [0x20, 6, 0, 0, 3, 0x22, 0, 4] : [0x20, 2, 0, 0]
                    let frame = try Frame(packet: ByteBuffer(bytes: connack), version: play.device.version ?? .v3_1_1)
                    play.perform(play.session.uplinkSent(.packet(frame)))
                case 2:
                    let packet = OddPacket.connected.randomElement(using: &random)?.bytes ?? []
                    let version = play.device.version ?? .v3_1_1
                    if let frame = try? Frame(
                        packet: ByteBuffer(bytes: packet), version: version, reading: play.session.reading.uplink)
                    {
                        play.perform(play.session.uplinkSent(.packet(frame)))
                    }
                case 3: play.perform(play.session.uplinkLost(.network(description: "idle")))
                case 4: play.perform(play.session.uplinkSilent())
                default: play.perform(play.session.uplinkAnswered(after: .seconds(1)))
                }
            }
            play.perform(play.session.deviceClosed())
        }
        #expect(hold.budget.usedBytes == 0)
    }
}
