@testable import MQTTQUICClient

/// A broker with the front or `serve` before it, and a configuration of the client library for it.
struct LinkScenario: Sendable {
    struct Options: Sendable {
        var broker = Broker.Options()
        var front = Front.Options()
        var farEnd = FarEnd.Kind.front
        /// Whether a relay is between the client and the far end.
        var isRelayed = false
        /// Another UDP port instead of the far end's.
        var port: Int?
        /// Changes the client's configuration.
        var configure: @Sendable (inout MQTTClientConfiguration, Certificates) -> Void = { _, _ in }
    }

    let broker: Broker
    let farEnd: FarEnd
    let relay: UDPRelay?
    let configuration: MQTTClientConfiguration

    /// The front; throws if the far end is `serve`.
    var front: Front {
        get throws {
            guard let front = farEnd.front else { throw HarnessError("there is no front") }
            return front
        }
    }

    static func run(
        _ options: Options = Options(), _ body: @Sendable (LinkScenario, TestDialer) async throws -> Void
    ) async throws {
        try await TestPrograms.run { folder, processes in
            let broker = try await Broker.start(in: folder, options.broker)
            await processes.append(broker.process)
            let farEnd = try await FarEnd.start(
                in: folder, broker: broker.port, options.front, kind: options.farEnd)
            await processes.append(farEnd.process)
            let relay = options.isRelayed ? try await UDPRelay.start(to: farEnd.port) : nil
            do {
                try await run(options, broker, farEnd, relay, body)
                await relay?.stop()
            } catch {
                await relay?.stop()
                throw error
            }
        }
    }

    private static func run(
        _ options: Options, _ broker: Broker, _ farEnd: FarEnd, _ relay: UDPRelay?,
        _ body: @Sendable (LinkScenario, TestDialer) async throws -> Void
    ) async throws {
        let certificates = try await Certificates.make()
        var configuration = MQTTClientConfiguration(
            host: "localhost", port: options.port ?? relay?.port ?? farEnd.port)
        configuration.tls.trust = .file(certificates.certificate("ca"))
        configuration.connectTimeout = .seconds(20)
        if let port = broker.tlsPort { configuration.fallback = MQTTClientConfiguration.Fallback(port: port) }
        options.configure(&configuration, certificates)
        let scenario = LinkScenario(broker: broker, farEnd: farEnd, relay: relay, configuration: configuration)
        try await TestDialer.with(configuration) { try await body(scenario, $0) }
    }
}
