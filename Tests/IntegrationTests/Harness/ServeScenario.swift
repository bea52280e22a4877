import Foundation

/// One test's world for `serve`: a broker, `serve` in front of it, and any clients.
struct ServeScenario: Sendable {
    struct Options: Sendable {
        var broker = Broker.Options()
        /// Further lines of the section `serve`.
        var serve: [String] = []
        var listen = "127.0.0.1:0"
        /// Where the broker is said to be; nil: where it is.
        var brokerPort: Int?
        var threads = 1
        /// Nothing else runs beside a test that measures.
        var alone = false
    }

    let folder: Folder
    let broker: Broker
    let serve: Serve
    let driver: PahoDriver
    private let processes: EventLog<ChildProcess>

    /// Starts everything, runs the test, and ends everything. What the parts said last is in the error of a test that
    /// throws.
    static func run(
        _ options: Options = Options(), _ body: @Sendable (ServeScenario) async throws -> Void
    ) async throws {
        await Gate.shared.enter(alone: options.alone)
        let processes = EventLog<ChildProcess>()
        let folder = try Folder()
        var failure: (any Error)?
        do {
            try await body(try await start(options, folder, processes))
        } catch {
            failure = HarnessError("\(error)", await Scenario.lastWords(of: processes.all))
        }
        if Toolbox.showsLogs { print(await Scenario.lastWords(of: processes.all, lines: .max)) }
        for process in await processes.all.reversed() { await process.stop() }
        folder.remove()
        await Gate.shared.leave(alone: options.alone)
        if let failure { throw failure }
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

    /// Certificate and key are copies in the folder, which a test may replace.
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
            log: {level: debug, format: text}
            threads: \(options.threads)

            """
    }

    /// Puts a certificate of certificates.py, with its key, in the place of the one in use.
    static func use(_ name: String, in folder: Folder) async throws {
        let certificates = try await Certificates.make()
        for (from, to) in [
            (certificates.certificate(name), "certificate.pem"), (certificates.key(name), "certificate.key"),
        ] {
            try folder.write(to, try String(contentsOfFile: from, encoding: .utf8))
        }
    }

    /// A client of MQTT 5.0 that is connected at the broker itself and has subscribed these filters.
    func observer(_ filters: String...) async throws -> PahoClient {
        let client = await PahoClient("observer", driver)
        try await client.connect(port: broker.port, ["version": "5.0"])
        for filter in filters { try await client.subscribe(filter) }
        return client
    }

    func client(_ options: QUICClient.Options = .init()) async throws -> QUICClient {
        try await QUICClient.connect(port: serve.port, options)
    }

    /// A client of `mqtt-mux`.
    func multiplexedClient() async throws -> QUICClient {
        var options = QUICClient.Options()
        options.alpn = ["mqtt-mux"]
        return try await client(options)
    }

    /// Has a process of the test's own ended with the others.
    func own(_ process: ChildProcess) async {
        await processes.append(process)
    }
}
