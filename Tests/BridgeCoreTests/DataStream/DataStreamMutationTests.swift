import MQTTCodec
import NIOCore
import TestSupport
import Testing

@testable import BridgeCore

/// Whatever bytes come from either side, in whatever order and with whatever events: every session ends, reports that
/// once, and sends nothing after it has closed.
@Suite struct DataStreamMutationTests {
    private struct Run {
        var bench: DataStreamBench
        var device: FrameDecoder
        var uplink: FrameDecoder
        var ends = 0
        var isDeviceClosed = false
        var hasLeg = false
        var timers: Set<SessionTimer> = []
        /// The names of the states that a session was in.
        var seen: Set<Substring> = []

        mutating func perform(_ actions: [SessionAction]) {
            for action in actions {
                switch action {
                case .ended: ends += 1
                case .sendToDevice: #expect(!isDeviceClosed)
                case .closeDevice: isDeviceClosed = true
                case .sendToUplink, .finishUplink: #expect(hasLeg)
                case .closeUplink: hasLeg = false
                case .openDataStream(let version):
                    #expect(!hasLeg)
                    uplink = DataStreamMutationTests.decoder(version)
                case .identified(let identity): device.version = identity.version
                case .start(let timer, _): timers.insert(timer)
                case .stop(let timer): timers.remove(timer)
                case .linger: timers.insert(.willDelay)
                case .connected(let idleLimit): if idleLimit != nil { timers.insert(.keepAlive) }
                case .authenticate, .claim, .note, .openUplink, .takeClientID: break
                }
            }
            seen.formUnion("\(bench.session.state)".split(separator: "(").prefix(1))
            guard bench.session.isOver else { return }
            #expect(timers.isEmpty && !hasLeg, "over, and something is left")
        }
    }

    private static func decoder(_ version: MQTTVersion?) -> FrameDecoder {
        var decoder = FrameDecoder(maximumPacketSize: 4_096, streamingThreshold: 64, maximumBufferedSize: 2_048)
        decoder.version = version
        return decoder
    }

    private func devicesBytes(_ version: MQTTVersion) throws -> [UInt8] {
        let long = Packet.publish(
            PublishHead(qos: .atLeastOnce, topic: "a/b", packetID: 9), payload: ByteBuffer(repeating: 1, count: 200))
        let packets: [Packet] = [
            .message("a/b"), .message("a/b", .exactlyOnce, 1), .ack(.pubrel, 1), long,
            .subscribe(Subscribe(packetID: 2, subscriptions: [Subscription(filter: "a/#", qos: .exactlyOnce)])),
            .pingreq, .ack(.puback, 3), .ack(.pubrec, 4), .ack(.pubcomp, 4),
            .unsubscribe(Unsubscribe(packetID: 5, filters: ["a/#"])), .disconnect(Disconnect()),
        ]
        return try packets.flatMap { Array(try $0.encode(version: version).readableBytesView) }
    }

    private func brokersBytes(_ version: MQTTVersion) throws -> [UInt8] {
        let long = Packet.publish(
            PublishHead(qos: .exactlyOnce, topic: "r/b", packetID: 8), payload: ByteBuffer(repeating: 1, count: 200))
        let packets: [Packet] = [
            .suback(Suback(packetID: 2, codes: [2])), .message("r/b", .atLeastOnce, 3), long, .ack(.puback, 9),
            .message("r/b", .exactlyOnce, 4), .ack(.pubrel, 4), .ack(.pubrec, 1), .ack(.pubcomp, 1),
            .unsuback(Unsuback(packetID: 5, codes: version == .v5_0 ? [0] : [])),
        ]
        return try packets.flatMap { Array(try $0.encode(version: version).readableBytesView) }
    }

    private func mutated(_ bytes: [UInt8], _ generator: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            guard let index = bytes.indices.randomElement(using: &generator) else { break }
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[index] = .random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: index)
            default: bytes.insert(.random(in: 0...255, using: &generator), at: index)
            }
        }
        return bytes
    }

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0])
    func everySessionComesToItsEnd(_ version: MQTTVersion) throws {
        var generator = SplitMix64(seed: 0x5EED_0000 + UInt64(version.rawValue))
        var seen: Set<Substring> = []
        for _ in 0..<400 {
            var run = Run(
                bench: try DataStreamBench(version, routes: [Route(local: "a/#", remote: "r/#", maximumQoS: 1)]),
                device: Self.decoder(nil), uplink: Self.decoder(version))
            run.perform(run.bench.session.started())
            let connect = run.bench.connect {
                $0.keepAlive = 5
                $0.will = Will(topic: "a/w", qos: QoS.allCases.randomElement(using: &generator) ?? .atMostOnce)
                guard version == .v5_0 else { return }
                $0.properties.receiveMaximum = .random(in: 1...3, using: &generator)
                $0.properties.maximumPacketSize = .random(in: 20...500, using: &generator)
                $0.properties.sessionExpiryInterval = 60
                $0.will?.properties.willDelayInterval = Bool.random(using: &generator) ? 5 : nil
            }
            run.device.append(
                ByteBuffer(
                    bytes: mutated(
                        Array(try connect.encode(version: version).readableBytesView)
                            + (try devicesBytes(version)), &generator)))
            let fromBroker = mutated(try brokersBytes(version.onDataStream), &generator)
            try play(&run, fromBroker, &generator)
            seen.formUnion(run.seen)
        }
        // The random events have reached every state.
        let delayed: Set<Substring> = version == .v5_0 ? ["leaving", "reopening"] : []
        #expect(seen.isSuperset(of: delayed.union(["connecting", "connected", "publishing", "finishing", "ended"])))
    }

    private func play(_ run: inout Run, _ fromBroker: [UInt8], _ generator: inout some RandomNumberGenerator) throws {
        var hasBrokerSpoken = false
        for step in 0..<300 where !run.bench.session.isOver {
            let choice = Int.random(in: 0..<40, using: &generator)
            switch choice {
            case 0..<24:
                guard run.bench.session.acceptsDeviceInput else { continue }
                do {
                    if let element = try run.device.next() { run.perform(run.bench.session.deviceSent(element)) }
                } catch {
                    run.perform(run.bench.session.deviceMisbehaved(error, start: ByteBuffer()))
                }
            case 24..<34:
                if case .connecting = run.bench.session.state { run.hasLeg = true }
                if case .reopening = run.bench.session.state { run.hasLeg = true }
                run.perform(run.bench.session.uplinkReady(GatewayLimits()))
                guard run.hasLeg, run.bench.session.acceptsUplinkInput else { continue }
                if !hasBrokerSpoken { run.uplink.append(ByteBuffer(bytes: fromBroker)) }
                hasBrokerSpoken = true
                do {
                    if let element = try run.uplink.next() { run.perform(run.bench.session.uplinkSent(element)) }
                } catch {
                    run.perform(run.bench.session.uplinkMisbehaved(error))
                }
            case 34: run.perform(run.bench.session.authenticated(Bool.random(using: &generator)))
            case 35 where step > 20 && run.hasLeg: run.perform(run.bench.session.uplinkEnded())
            case 36 where step > 20 && run.hasLeg:
                run.hasLeg = false
                run.perform(run.bench.session.uplinkLost(.network(description: "idle")))
            case 37 where step > 20:
                // Sorted, because the order of a set differs from run to run.
                let timers = run.timers.sorted { "\($0)" < "\($1)" }
                if let timer = timers.randomElement(using: &generator) {
                    run.timers.remove(timer)
                    run.perform(run.bench.session.timedOut(timer))
                }
            case 38 where step > 20:
                run.perform(run.bench.session.takenOver(byContinuation: .random(using: &generator)))
            default: continue
            }
        }
        // Now all devices leave.
        run.perform(run.bench.session.deviceClosed())
        for _ in 0..<4 {
            for timer in run.timers.sorted(by: { "\($0)" < "\($1)" }) where run.timers.remove(timer) != nil {
                run.perform(run.bench.session.timedOut(timer))
            }
        }
        #expect(run.bench.session.isOver && run.ends == 1 && run.timers.isEmpty && !run.hasLeg)
    }
}
