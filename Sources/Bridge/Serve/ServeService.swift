import BridgeCore
import Logging
import NIOCore
import NIOPosix
import QUICTransport
import ServiceLifecycle

/// The command `serve` as one service: accepts QUIC clients, gives each of their streams a TCP connection to the broker,
/// and ends their sessions in order when it is stopped.
package struct ServeService: Service {
    let state: ServeState
    private let signals: ProgramSignals
    let logger: Logger
    let tls: ServerTLS
    private let watch: ServeMonitor
    /// What the admin endpoint sees and does of the server, before it runs, too.
    package var monitor: any MonitoredService { watch }
    /// The addresses that clients can connect to, with the ports that the system chose.
    package var listening: [String] { watch.state.running.listen }

    /// Reads certificates and keys, and makes the ticket key file if it is missing. Throws ``UnusableFile`` or
    /// ``TooFewFiles``.
    package init(
        configuration: ServeConfiguration, signals: ProgramSignals = ProgramSignals(), logger: Logger
    ) throws {
        try OpenFiles.check(threads: configuration.threads)
        self.signals = signals
        self.logger = logger
        self.tls = try CredentialFiles(configuration).explaining {
            try ServerTLS(configuration: configuration, logger: logger)
        }
        // The ticket key file may have been made just now.
        self.state = ServeState(configuration, FileDigests(configuration))
        self.watch = ServeMonitor(state)
    }

    /// Reads every file that a start reads, and tests whether the addresses of `listen` are available; changes nothing.
    /// Throws ``UnusableFile`` or ``ListenError``.
    package static func check(_ configuration: ServeConfiguration) throws -> CheckResult {
        let files = CredentialFiles(configuration)
        try files.explaining { try ServerTLS.check(configuration) }
        try OpenFiles.check(threads: configuration.threads)
        return CheckResult(
            warnings: files.warnings + (try ListenProbe.warnings(configuration.listen, .quic))
                + (try ListenProbe.warnings(configuration.admin.givenAddress, .tcp)), notes: files.notes)
    }

    /// Runs until graceful shutdown or cancellation. Throws ``ListenError``.
    package func run() async throws {
        try await ServiceRun.onEventLoops(configuration.threads, gathers: configuration.gatherDelay > .zero) {
            try await serve(on: $0)
        }
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let configuration = configuration
        let hosts = try await ServeHosts(configuration: configuration, group: group, logger: logger)
        let server = serverConfiguration(configuration, tls.current)
        var addresses: [String] = []
        do {
            for address in configuration.listen {
                var server = server
                server.secret = tls.secret(of: address)
                server.isIPv6Only = address.leavesIPv4(to: configuration.listen)
                addresses.append(try await hosts.listen(on: address, server))
            }
        } catch {
            await hosts.close()
            throw error
        }
        await begin(hosts, after: configuration)
        defer { state.ended() }
        let watched = watch.state
        watched.began(hosts.hosts, listening: addresses) { await hosts.drain(within: $0) }
        defer { watched.ended() }
        let certificates = Task { await CertificateWatch(tls: tls, hosts: hosts, logger: logger).run() }
        let report = StatisticsReport(logger: logger) { await hosts.statistics().fields }
        let run = ServiceRun(
            logger: logger, report: report, shutdownTimeout: { state.configuration.limits.shutdownTimeout })
        await run.untilStopped(signals, draining: watched) {
            watched.ending()
            certificates.cancel()
            let timeout = state.configuration.limits.shutdownTimeout
            let lingering = watched.running.isDraining ? min(Self.linger, timeout) : .zero
            await hosts.shutDown(within: TimeAmount(timeout), lingering: lingering)
        }
        logger.info("stopped")
    }

    /// How long a server that has drained refuses connections before it closes its sockets.
    private static let linger = Duration.seconds(1)

    func serverConfiguration(
        _ configuration: ServeConfiguration, _ context: QUICTLSContext
    ) -> QUICServerConfiguration {
        let limits = configuration.limits
        // The server's order decides: a client that offers both names gets many sessions on one connection.
        var quic = QUICConfiguration(alpn: [ServedConnection.multiplexed, ServedConnection.single])
        quic.idleTimeout = configuration.idleTimeout
        // MQTT's keepalive ends idle sessions. The connection itself lives for as long as the client's system answers.
        quic.keepAlive = configuration.idleTimeout / 2
        quic.congestionControl = .init(configuration.congestionControl)
        quic.sendTwice = .init(configuration.sendTwice)
        quic.maxBidiStreams = limits.streamsPerConnection
        quic.setWindows(limits.streamBuffer, streams: limits.streamsPerConnection)
        quic.activeConnectionIDLimit = 8
        var server = QUICServerConfiguration(quic: quic, tls: context)
        server.serverID = configuration.serverID
        server.repliesPerSecond = max(1_000, 2 * limits.handshakesPerSecond)
        return server
    }
}
