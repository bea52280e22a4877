import BridgeCore
import MQTTCodec
import NIOCore

extension Benchmark {
    private static let rounds = 20_000

    /// Sessions: a message of the device passes, and the broker's acknowledgement comes back; then a message of the
    /// broker, and the device's acknowledgement.
    package static var session: [Benchmark] {
        [
            exchange("session.publish", .v3_1_1, .up), exchange("session.publish-5", .v5_0, .up),
            exchange("session.publish-routed", .v3_1_1, .up, routes: routes),
            exchange("session.publish-unheld", .v3_1_1, .up, isHeld: false),
            exchange("session.delivery", .v3_1_1, .down),
            dataStreamExchange("data-stream.publish", .up), dataStreamExchange("data-stream.delivery", .down),
        ]
    }

    private enum Direction { case up, down }

    private static func exchange(
        _ name: String, _ version: MQTTVersion, _ direction: Direction, routes: [Route] = [], isHeld: Bool = true
    ) -> Benchmark {
        Benchmark(name, rounds: rounds) {
            var session = Session(context: try context(routes: routes, isHeld: isHeld))
            let connect = Packet.connect(Connect(version: version, clientID: "dev"))
            consume(session.deviceSent(try element(connect, version)))
            consume(session.clientIDTaken(.none))
            consume(session.uplinkReady())
            consume(session.uplinkSent(try element(.connack(Connack()), version)))
            try check(session.acceptsDeviceInput, "the session is not connected")
            return try work(session, direction, version)
        }
    }

    private static func dataStreamExchange(_ name: String, _ direction: Direction) -> Benchmark {
        Benchmark(name, rounds: rounds) {
            let version = MQTTVersion.v5_0
            var session = DataStreamSession(
                context: DataStreamContext(device: try context(routes: [], isHeld: true), allowsAnonymous: true))
            consume(session.deviceSent(try element(.connect(Connect(version: version, clientID: "dev")), version)))
            consume(session.uplinkReady(GatewayLimits()))
            try check(session.acceptsDeviceInput, "the session is not connected")
            return try work(session, direction, version)
        }
    }

    private static func context(routes: [Route], isHeld: Bool) throws -> SessionContext {
        SessionContext(
            routes: try RoutingTable(routes: routes, unrouted: .reject),
            identities: try IdentityMapper(AuthConfiguration()), maximumPacketSize: 1_048_576,
            connectWithin: .seconds(5), connectTimeout: .seconds(5), listener: "lan", makeClientID: { "mqb1" },
            hold: isHeld ? HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 67_108_864)) : nil)
    }

    /// A message and its acknowledgement, each of which has to come out on the other side.
    private static func work(
        _ initial: some DeviceSession, _ direction: Direction, _ version: MQTTVersion
    ) throws -> Work {
        var session = initial
        // The driver says so of a session with as many packets as here.
        session.becomeBusy()
        let publish = try element(Samples.publish(version), version)
        let puback = try element(Samples.puback, version)
        return Work {
            var sent = 0
            switch direction {
            case .up:
                sent += packets(in: session.deviceSent(publish))
                sent += packets(in: session.uplinkSent(puback))
            case .down:
                sent += packets(in: session.uplinkSent(publish))
                sent += packets(in: session.deviceSent(puback))
            }
            try check(sent >= 2, "a packet did not pass the session")
        }
    }

    /// How many buffers go out. A message that a route rewrites goes out in two.
    private static func packets(in actions: [SessionAction]) -> Int {
        var count = 0
        for action in actions {
            switch action {
            case .sendToUplink, .sendToDevice: count += 1
            default: break
            }
        }
        return count
    }

    private static func element(_ packet: Packet, _ version: MQTTVersion) throws -> FrameDecoder.Element {
        .packet(try Samples.frame(packet, version))
    }

    /// A benchmark that does nothing would be fast.
    static func check(_ condition: Bool, _ message: String) throws {
        guard condition else { throw BenchmarkError(message: message) }
    }
}
