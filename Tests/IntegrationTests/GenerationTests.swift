import BridgeCore
import Testing

@testable import Bridge

/// What a reload leaves in memory, and what it does without a signal.
@Suite(.timeLimit(.minutes(20)))
struct GenerationTests {
    private func configuration(_ scenario: Scenario) async throws -> BridgeConfiguration {
        var uplink = UplinkConfiguration(
            host: "localhost", port: scenario.farEnd.port, caFile: try await Certificates.make().certificate("ca"),
            mapping: TestMapping.current == .mux ? .mux : .connection, connectTimeout: .seconds(20))
        var auth = AuthConfiguration()
        if TestMapping.current == .dataStream {
            uplink.mapping = .dataStream
            uplink.identity = GatewayIdentity(clientID: "gateway")
            auth.mode = .local
            auth.allowsAnonymous = true
        }
        return BridgeConfiguration(
            listen: [ListenAddress(host: "127.0.0.1", port: 0)], uplink: uplink, auth: auth, unrouted: .pass,
            threads: 2)
    }

    private struct Weak: Sendable {
        weak let generation: Generation?
        weak let uplink: UplinkSettings?

        init(_ generation: Generation) {
            self.generation = generation
            self.uplink = generation.uplink
        }
    }

    private func count(_ seen: [Weak]) -> (generations: Int, uplinks: Int) {
        (
            seen.count { $0.generation != nil },
            Set(seen.compactMap { $0.uplink.map { ObjectIdentifier($0) } }).count
        )
    }

    /// Only what is in force stays, and what devices still use.
    @Test func aHundredReloadsLeaveNothingBehind() async throws {
        try await Scenario.run { scenario in
            let first = try await configuration(scenario)
            try await InnerBridge.run(first) { bridge in
                let device = await scenario.client("device")
                try await device.connect(port: bridge.port)
                let shared = bridge.service.shared
                var seen = [Weak(shared.generation)]
                for round in 0..<100 {
                    var next = first
                    next.uplink.keepAlive = .seconds(10 + round % 7)
                    next.limits.devices = 1_000 + round
                    next.uplink.warm = round % 3
                    let report = try await bridge.service.reload(next, isDryRun: false, isAllOrNothing: false)
                    #expect(report.ok && report.devicesEnded == 0)
                    seen.append(Weak(shared.generation))
                }
                try await device.publish("up", "still here", qos: 1)
                // The generation in force, and the settings of the device's connection besides.
                while count(seen).generations > 1 || count(seen).uplinks > 2 {
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(seen.first?.uplink != nil)
                try await device.disconnect()
                while count(seen).uplinks > 1 { try await Task.sleep(for: .milliseconds(20)) }
                #expect(seen.last?.generation === shared.generation)
                let drivers = await bridge.drainingDrivers
                #expect(drivers == 0)
            }
        }
    }

    @Test func aDryRunChangesNothingAndSaysWhatWould() async throws {
        try await Scenario.run { scenario in
            let first = try await configuration(scenario)
            try await InnerBridge.run(first) { bridge in
                let device = await scenario.client("device")
                try await device.connect(port: bridge.port)
                var next = first
                next.routes = [Route(local: "up", remote: "elsewhere")]
                next.limits.devices = 1
                let before = bridge.service.shared.generation
                let report = try await bridge.service.reload(next, isDryRun: true, isAllOrNothing: false)
                #expect(report.ok && report.devicesEnded == 1)
                #expect(report.changes.map(\.key) == ["routes", "limits.devices"])
                #expect(bridge.service.shared.generation === before)
                try await device.publish("up", "still here", qos: 1)
            }
        }
    }

    @Test func allOrNothingIsNothingIfSomethingNeedsARestart() async throws {
        try await Scenario.run { scenario in
            let first = try await configuration(scenario)
            try await InnerBridge.run(first) { bridge in
                var next = first
                next.limits.devices = 1
                next.threads = 5
                let before = bridge.service.shared.generation
                let refused = try await bridge.service.reload(next, isDryRun: false, isAllOrNothing: true)
                #expect(!refused.ok && refused.errors.isEmpty)
                #expect(refused.changes.filter { $0.effect == .needsRestart }.map(\.key) == ["threads"])
                #expect(bridge.service.shared.generation === before)
                let applied = try await bridge.service.reload(next, isDryRun: false, isAllOrNothing: false)
                #expect(applied.ok && applied.changes.map(\.effect) == [.applied, .needsRestart])
                #expect(bridge.service.configuration.limits.devices == 1)
                #expect(bridge.service.configuration.threads == first.threads)
            }
        }
    }

    /// A hundred devices come while settings change again and again. Some of them wait for a connection just then.
    @Test func devicesThatWaitAreHandedOver() async throws {
        try await Scenario.run { scenario in
            var first = try await configuration(scenario)
            // A busy machine makes devices wait for longer than the five seconds of the default.
            first.uplink.connectTimeout = .seconds(60)
            try await InnerBridge.run(first) { bridge in
                let load = try await scenario.load()
                async let connecting: Void = load.connect(100, port: bridge.port, ["version": "5.0"])
                for round in 0..<20 {
                    var next = first
                    next.uplink.keepAlive = .seconds(10 + round % 2)
                    _ = try await bridge.service.reload(next, isDryRun: false, isAllOrNothing: false)
                    try await Task.sleep(for: .milliseconds(30))
                }
                try await connecting
                #expect(await load.ended == 0)
            }
        }
    }
}

extension InnerBridge {
    /// How many drivers of earlier settings there are on all event loops.
    fileprivate var drainingDrivers: Int {
        get async {
            var count = 0
            for host in service.shared.loops.withLock({ $0 }) {
                count += (try? await host.eventLoop.submit { host.value.draining.count }.get()) ?? 0
            }
            return count
        }
    }
}
