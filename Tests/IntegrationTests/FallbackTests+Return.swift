import BridgeCore
import Testing

/// Devices go from QUIC to the fallback or another endpoint, and back.
extension FallbackTests {
    private func configuration(
        _ endpoints: [Int], tls: Int?, after: Duration = .seconds(8), onLoss: UplinkConfiguration.LossPolicy = .close
    ) async throws -> BridgeConfiguration {
        var uplink = UplinkConfiguration(
            host: "localhost", port: endpoints[0], caFile: try await Certificates.make().certificate("ca"),
            mapping: .connection, connectTimeout: .seconds(10), idleTimeout: .seconds(4),
            backoffMinimum: .milliseconds(50),
            backoffMaximum: .milliseconds(500), onLoss: onLoss, warm: 0)
        uplink.endpoints = endpoints.map { UplinkEndpoint(host: "localhost", port: $0) }
        uplink.fallback = tls.map { UplinkFallback(host: "localhost", port: $0, after: after) }
        return BridgeConfiguration(
            listen: [ListenAddress(host: "127.0.0.1", port: 0)], uplink: uplink, unrouted: .pass, threads: 2)
    }

    private static let probing = WayChoice.Probing(first: .milliseconds(300), longest: .seconds(1))

    @Test func newSessionsReturnToQUICWhenItIsOpenAgain() async throws {
        var options = options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            try await scenario.relay.blackOut(true)
            let inner = try await configuration([scenario.relay.port], tls: scenario.broker.tlsPort)
            try await InnerBridge.run(inner, probing: Self.probing) { bridge in
                let early = await scenario.client("early")
                try await early.connect(port: bridge.port)
                try await bridge.says(Self.onTLS)
                try await scenario.relay.blackOut(false)
                try await bridge.says("a better endpoint works again")
                let late = await scenario.client("late")
                try await late.connect(port: bridge.port)
                try await scenario.front.sees("CONNECT", of: "late")
                // The first device is still on the fallback, because sessions are not moved.
                try await early.publish("up", "still here", qos: 1)
                #expect(try await !scenario.front.events.contains { $0.clientID == "early" })
            }
        }
    }

    @Test func aNetworkThatClosesInTheMiddleIsNoticed() async throws {
        var options = options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let inner = try await configuration([scenario.relay.port], tls: scenario.broker.tlsPort)
            try await InnerBridge.run(inner, probing: Self.probing) { bridge in
                let device = await scenario.client("device-1")
                try await device.connect(port: bridge.port, ["keep_alive": 3])
                try await scenario.front.sees("CONNECT", of: "device-1")
                try await scenario.relay.blackOut(true)
                _ = try await device.disconnected()
                let next = await scenario.client("device-2")
                try await next.connect(port: bridge.port)
                try await bridge.says(Self.onTLS)
            }
        }
    }

    /// The device goes from QUIC to TLS without noticing, and its session continues.
    @Test func aHeldDeviceGoesTheOtherWay() async throws {
        var options = options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let inner = try await configuration([scenario.relay.port], tls: scenario.broker.tlsPort, onLoss: .hold)
            try await InnerBridge.run(inner, probing: Self.probing) { bridge in
                let observer = try await scenario.observer("up")
                let device = await scenario.client("device-1")
                // A device without a keepalive gets a connection with the configured idle timeout.
                try await device.connect(port: bridge.port, ["keep_alive": 0])
                try await device.subscribe("down")
                try await scenario.front.sees("CONNECT", of: "device-1")
                try await scenario.relay.blackOut(true)
                let sent = try await device.startPublishing("up", "in the dark", qos: 1)
                try await bridge.says(Self.onTLS)
                try await device.acknowledged(sent)
                #expect(try await observer.message().text == "in the dark")
                try await observer.publish("down", "over TLS", qos: 1)
                #expect(try await device.message().text == "over TLS")
                try await scenario.broker.kill()
                let again = try await scenario.broker.startAgain(in: scenario.folder)
                await scenario.own(again.process)
                try await device.publish("up", "after the restart", qos: 1)
                #expect(await !device.log.contains { $0.event == "disconnected" })
            }
        }
    }

    @Test func aSecondEndpointIsUsedWhileTheFirstIsDead() async throws {
        var options = options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            try await scenario.relay.blackOut(true)
            let second = try await Front.start(broker: scenario.broker.port)
            await scenario.own(second.process)
            let inner = try await configuration([scenario.relay.port, second.port], tls: nil)
            try await InnerBridge.run(inner, probing: Self.probing) { bridge in
                let early = await scenario.client("early")
                try await early.connect(port: bridge.port)
                try await second.sees("CONNECT", of: "early")
                try await bridge.says("endpoint failed, using another")
                try await scenario.relay.blackOut(false)
                try await bridge.says("a better endpoint works again")
                let late = await scenario.client("late")
                try await late.connect(port: bridge.port)
                try await scenario.front.sees("CONNECT", of: "late")
            }
        }
    }
}
