import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import BridgeCore

/// One session that is held, fed with packets; what comes out is decoded.
struct HoldBench {
    var bench: SessionBench
    let budget: HoldBudget
    let version: MQTTVersion
    let clock = HoldClock()

    init(
        _ version: MQTTVersion, routes: [Route] = [], unrouted: UnroutedPolicy = .reject, buffer: Int = 1_048_576,
        total: Int = 67_108_864, qos0: HoldConfiguration.QoS0 = .keep, packetSize: Int = 10_000_000,
        isHeld: Bool = true
    ) throws {
        let configuration = HoldConfiguration(time: .seconds(300), buffer: buffer, totalBuffer: total, qos0: qos0)
        budget = HoldBudget(limit: total)
        self.version = version
        bench = try SessionBench(
            version, routes: routes, unrouted: unrouted, packetSize: packetSize,
            hold: isHeld ? HoldPolicy(configuration, budget: budget) { [clock] in clock.now } : nil)
    }

    /// A connected session.
    static func connected(
        _ version: MQTTVersion, buffer: Int = 1_048_576, qos0: HoldConfiguration.QoS0 = .keep, routes: [Route] = [],
        isHeld: Bool = true, connack: Connack = Connack(), _ change: (inout Connect) -> Void = { _ in }
    ) throws -> HoldBench {
        var bench = try HoldBench(version, routes: routes, buffer: buffer, qos0: qos0, isHeld: isHeld)
        _ = try bench.bench.device(bench.bench.connect(change))
        _ = bench.bench.session.uplinkReady()
        _ = try bench.bench.broker(.connack(connack))
        #expect(bench.bench.session.acceptsDeviceInput)
        return bench
    }

    var accepts: Bool { bench.session.acceptsDeviceInput }

    mutating func device(_ packet: Packet) throws -> Outcome { try outcome(bench.device(packet)) }
    mutating func broker(_ packet: Packet) throws -> Outcome { try outcome(bench.broker(packet)) }

    @discardableResult
    mutating func lose(_ loss: UplinkLoss = .network(description: "idle")) throws -> Outcome {
        try outcome(bench.session.uplinkLost(loss))
    }

    mutating func silence() throws -> Outcome { try outcome(bench.session.uplinkSilent()) }

    mutating func answer(after silence: Duration) throws -> Outcome {
        try outcome(bench.session.uplinkAnswered(after: silence))
    }

    /// The leg is there. Returns what goes out first.
    mutating func ready() throws -> Outcome { try outcome(bench.session.uplinkReady()) }

    /// The leg is there, and the broker has sent CONNACK.
    mutating func comeBack(_ isPresent: Bool, _ properties: Properties = []) throws -> Outcome {
        let connect = try ready()
        guard case .connect? = connect.up.first else { throw BenchError.noConnect }
        return try broker(.connack(Connack(sessionPresent: isPresent, properties: properties)))
    }

    enum BenchError: Error { case noConnect }

    struct Outcome {
        var up: [Packet] = []
        var down: [Packet] = []
        var actions: [SessionAction] = []

        var end: SessionEnd? { actions.end }
        var notes: [SessionNote] { actions.notes }
        var opens: Bool { actions.opensUplink }
    }

    func outcome(_ actions: [SessionAction]) throws -> Outcome {
        Outcome(
            up: try Self.packets(actions.toUplink, version), down: try Self.packets(actions.toDevice, version),
            actions: actions)
    }

    static func packets(_ buffers: [ByteBuffer], _ version: MQTTVersion) throws -> [Packet] {
        var decoder = FrameDecoder(
            maximumPacketSize: 10_000_000, streamingThreshold: 10_000_000, maximumBufferedSize: 10_000_000)
        decoder.version = version
        for buffer in buffers { decoder.append(buffer) }
        var packets: [Packet] = []
        while case .packet(let frame)? = try decoder.next() {
            packets.append(try Packet.decode(frame, version: version))
        }
        try #require(decoder.bufferedBytes == 0)
        return packets
    }
}

/// A clock that stands still until it is moved.
final class HoldClock: Sendable {
    private let time = Mutex(NIODeadline.uptimeNanoseconds(1_000_000_000_000))

    var now: NIODeadline { time.withLock { $0 } }

    func advance(_ time: TimeAmount) { self.time.withLock { $0 = $0 + time } }
}

extension Packet {
    /// The same packet with DUP.
    var again: Packet {
        guard case .publish(var head, let payload) = self else { return self }
        head.isDuplicate = true
        return .publish(head, payload: payload)
    }
}
