import BridgeCore
import MQTTCodec

extension Benchmark {
    private static let rounds = 20_000

    /// Topic routes: messages up and down, and a subscription with its answer.
    package static var router: [Benchmark] {
        [
            routing("router.pass", routes: []) { try $0.fromDevice($1.up) },
            routing("router.up", routes: Self.routes) { try $0.fromDevice($1.up) },
            routing("router.down", routes: Self.routes) { try $0.fromBroker($1.down) },
            routing("router.subscribe", routes: Self.routes) {
                consume(try $0.fromDevice($1.subscribe))
                return try $0.fromBroker($1.suback)
            },
        ]
    }

    /// The routes of the TESAIoT platform.
    static let routes = [
        Route(local: "telemetry/#", remote: "device/${clientid}/telemetry/#", direction: .up),
        Route(local: "commands/#", remote: "device/${clientid}/commands/#", direction: .down),
    ]

    private struct Frames {
        let up, down, subscribe, suback: Frame
    }

    private static func routing(
        _ name: String, routes: [Route],
        _ route: @escaping (inout PacketRouter, Frames) throws -> PacketRouter.Routed
    ) -> Benchmark {
        Benchmark(name, rounds: rounds) {
            let table = try RoutingTable(routes: routes, unrouted: .reject)
            var router = PacketRouter(
                routes: try table.resolved(with: RouteVariables(clientID: "dev")), version: .v3_1_1)
            let delivery = Samples.publish(.v3_1_1, topic: "device/dev/" + Samples.remoteTopic)
            let frames = Frames(
                up: try Samples.frame(Samples.publish(.v3_1_1), .v3_1_1),
                down: try Samples.frame(delivery, .v3_1_1),
                subscribe: try Samples.frame(Samples.subscribe, .v3_1_1),
                suback: try Samples.frame(Samples.suback, .v3_1_1))
            return Work { consume(try route(&router, frames)) }
        }
    }
}
