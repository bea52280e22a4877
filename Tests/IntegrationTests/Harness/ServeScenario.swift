import Foundation
import Testing

/// The programs of one test of `serve`: a broker, `serve` in front of it, and any clients.
struct ServeScenario: Sendable {
    struct Options: Sendable {
        var broker = Broker.Options()
        /// Further lines of the section `serve`.
        var serve: [String] = []
        var listen = "127.0.0.1:0"
        /// The broker port that `serve` is configured with; `nil` for the real one.
        var brokerPort: Int?
        var threads = 1
        /// Whether no other test may run meanwhile, because this one measures.
        var alone = false
    }

    let folder: Folder
    let broker: Broker
    let serve: Serve
    let driver: PahoDriver
    private let processes: EventLog<ChildProcess>

    /// Starts everything, runs the test, and ends everything. If the test throws, its error contains the last output of
    /// each process.
    static func run(
        _ options: Options = Options(), _ body: @Sendable (ServeScenario) async throws -> Void
    ) async throws {
        try await TestPrograms.run(alone: options.alone) { folder, processes in
            try await body(try await start(options, folder, processes))
        }
    }

    private static func start(
        _ options: Options, _ folder: Folder, _ processes: EventLog<ChildProcess>
    ) async throws -> ServeScenario {
        let broker = try await Broker.start(in: folder, options.broker)
        await processes.append(broker.process)
        let driver = try await PahoDriver.start()
        await processes.append(driver.process)
        let text = try await configuration(options, in: folder, brokerPort: options.brokerPort ?? broker.port)
        let serve = try await Serve.start(in: folder, configuration: text)
        await processes.append(serve.process)
        return ServeScenario(folder: folder, broker: broker, serve: serve, driver: driver, processes: processes)
    }

    /// Returns the configuration. Its certificate and key are copies in the folder, which a test may replace.
    static func configuration(_ options: Options, in folder: Folder, brokerPort: Int) async throws -> String {
        try await use("server", in: folder)
        return """
            serve:
              listen: ["\(options.listen)"]
              certificate: \(folder.path)/certificate.pem
              key: \(folder.path)/certificate.key
              broker_host: 127.0.0.1
              broker_port: \(brokerPort)
            \(options.serve.map { "  \($0)" }.joined(separator: "\n"))
            log: {level: debug, format: text, repeats: all}
            threads: \(options.threads)

            """
    }

    /// Replaces the certificate and key in use by others that certificates.py makes.
    static func use(_ name: String, in folder: Folder) async throws {
        let certificates = try await Certificates.make()
        for (from, to) in [
            (certificates.certificate(name), "certificate.pem"), (certificates.key(name), "certificate.key"),
        ] {
            try folder.write(to, try String(contentsOfFile: from, encoding: .utf8))
        }
    }

    /// An MQTT 5.0 client that is connected directly to the broker and has subscribed to these filters.
    func observer(_ filters: String...) async throws -> PahoClient {
        let client = await PahoClient("observer", driver)
        try await client.connect(port: broker.port, ["version": "5.0"])
        for filter in filters { try await client.subscribe(filter) }
        return client
    }

    func client(_ options: QUICClient.Options = .init()) async throws -> QUICClient {
        try await QUICClient.connect(port: serve.port, options)
    }

    /// A client with ALPN `mqtt-mux`.
    func multiplexedClient() async throws -> QUICClient {
        var options = QUICClient.Options()
        options.alpn = ["mqtt-mux"]
        return try await client(options)
    }

    /// Has a process that the test itself started ended with the others.
    func own(_ process: ChildProcess) async {
        await processes.append(process)
    }
}

extension ServeScenario {
    /// A client behind a NAT that forgets its mapping again and again stays connected.
    ///
    /// - Parameter host: The address of this machine at which the client reaches the server.
    func expectRebindings(_ count: Int, at host: String = "127.0.0.1") async throws {
        let nat = try await UDPRelay.start(to: serve.port, host: host)
        let client = try await QUICClient.connect(port: nat.port, .init(host: host))
        let (stream, connack) = try await client.session("client-1")
        for round in 1...count {
            try await nat.rebind()
            try await client.send(RawMQTT.pingreq, on: stream)
            _ = try await client.received(connack.count + 2 * round, on: stream)
            // In practice rebindings are minutes apart. Each one occupies a connection ID for three probe timeouts, so a
            // fifth one within that time would have to wait.
            try await Task.sleep(for: .seconds(1))
        }
        try await client.send(RawMQTT.disconnect, on: stream, fin: true)
        #expect(try await client.closed() == .applicationClosed(code: 0, reason: ""))
        await client.stop()
        await nat.stop()
    }
}
