import Foundation
import MQTTQUICClient

/// The programs of one test of the client library: a broker, what speaks QUIC for it, and paho clients that connect to
/// the broker directly.
struct ClientScenario: Sendable {
    struct Options: Sendable {
        var broker = Broker.Options()
        var front = Front.Options()
        /// Whether no other test may run meanwhile, because this one measures.
        var alone = false
    }

    let folder: Folder
    let broker: Broker
    let farEnd: FarEnd
    let driver: PahoDriver
    private let certificates: Certificates
    private let processes: EventLog<ChildProcess>

    /// Starts everything, runs the test, and ends everything. If the test throws, its error contains the last output of
    /// each process.
    static func run(
        _ kind: FarEnd.Kind, _ options: Options = Options(),
        _ body: @Sendable (ClientScenario) async throws -> Void
    ) async throws {
        try await TestPrograms.run(alone: options.alone) { folder, processes in
            try await body(try await start(kind, options, folder, processes))
        }
    }

    private static func start(
        _ kind: FarEnd.Kind, _ options: Options, _ folder: Folder, _ processes: EventLog<ChildProcess>
    ) async throws -> ClientScenario {
        let broker = try await Broker.start(in: folder, options.broker)
        await processes.append(broker.process)
        let farEnd = try await FarEnd.start(in: folder, broker: broker.port, options.front, kind: kind)
        await processes.append(farEnd.process)
        let driver = try await PahoDriver.start()
        await processes.append(driver.process)
        return ClientScenario(
            folder: folder, broker: broker, farEnd: farEnd, driver: driver, certificates: try await .make(),
            processes: processes)
    }

    /// For a client of the far end. It does not wait long before it reconnects.
    func configuration(_ clientID: String) -> MQTTClientConfiguration {
        var configuration = MQTTClientConfiguration(host: "localhost", port: farEnd.port, clientID: clientID)
        configuration.tls = .init(trust: .file(certificates.certificate("ca")))
        configuration.reconnect = .init(initial: .milliseconds(50), maximum: .milliseconds(500))
        configuration.handshakeTimeout = .seconds(20)
        configuration.connectTimeout = .seconds(30)
        return configuration
    }

    /// An MQTT 5.0 client that is connected directly to the broker and has subscribed to these filters.
    func observer(_ filters: String...) async throws -> PahoClient {
        let client = await PahoClient("observer", driver)
        try await client.connect(port: broker.port, ["version": "5.0"])
        for filter in filters { try await client.subscribe(filter) }
        return client
    }

    /// Starts the broker again, which must have been killed, and has it ended with the others.
    func startBroker() async throws {
        await processes.append(try await broker.startAgain(in: folder).process)
    }
}
