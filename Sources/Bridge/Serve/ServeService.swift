import BridgeCore
import Logging
import NIOCore
import NIOPosix
import QUICTransport
import ServiceLifecycle

/// `serve` as one service: takes QUIC clients, gives each of their streams a TCP connection to the broker, and ends
/// them in order when it is told to stop.
package struct ServeService: Service {
    private let configuration: ServeConfiguration
    private let signals: ProgramSignals
    private let logger: Logger
    private let tls: ServerTLS

    /// Reads certificates and keys, and makes the ticket key file where there is none. Throws ``UnusableFile``.
    /// - Parameter signals: A reload is of the files of certificates and keys.
    package init(
        configuration: ServeConfiguration, signals: ProgramSignals = ProgramSignals(), logger: Logger
    ) throws {
        self.configuration = configuration
        self.signals = signals
        self.logger = logger
        self.tls = try CredentialFiles(configuration).explaining {
            try ServerTLS(configuration: configuration, logger: logger)
        }
    }

    /// Reads all that a start reads, and sees whether the addresses to listen at are to be had; changes nothing.
    /// Throws ``UnusableFile``, or ``ListenError``.
    package static func check(_ configuration: ServeConfiguration) throws -> CheckResult {
        let files = CredentialFiles(configuration)
        try files.explaining { try ServerTLS.check(configuration) }
        return CheckResult(
            warnings: files.warnings + (try ListenProbe.warnings(configuration.listen, .quic)), notes: files.notes)
    }

    /// Runs until graceful shutdown or cancellation. Throws ``ListenError``.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        do {
            try await serve(on: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let hosts = try await ServeHosts(configuration: configuration, group: group, logger: logger)
        let server = serverConfiguration
        do {
            for address in configuration.listen {
                var server = server
                server.isIPv6Only = address.leavesIPv4(to: configuration.listen)
                try await hosts.listen(on: address, server)
            }
        } catch {
            await hosts.close()
            throw error
        }
        let watch = Task { await CertificateWatch(tls: tls, hosts: hosts, logger: logger).run(signals.reloads) }
        let report = StatisticsReport(logger: logger) { await hosts.statistics().fields }
        let reports = Task { await report.run(signals.statistics) }

        // Cancellation is a reason to stop like any other.
        try? await gracefulShutdown()

        watch.cancel()
        reports.cancel()
        logger.info("shutting down", metadata: ["within": "\(configuration.limits.shutdownTimeout)"])
        await hosts.shutDown(within: TimeAmount(configuration.limits.shutdownTimeout))
        await report.report()
        logger.info("stopped")
    }

    private var serverConfiguration: QUICServerConfiguration {
        let limits = configuration.limits
        // The server's order decides: who can have many sessions on one connection shall.
        var quic = QUICConfiguration(alpn: [ServedConnection.multiplexed, ServedConnection.single])
        quic.idleTimeout = configuration.idleTimeout
        // MQTT's keepalive decides about the silent: a connection lives for as long as the client's system answers.
        quic.keepAlive = configuration.idleTimeout / 2
        quic.maxBidiStreams = limits.streamsPerConnection
        quic.initialMaxStreamData = UInt64(limits.streamBuffer)
        // Enough for all streams at once, so that one whose broker side is slow takes no credit from others.
        let (all, overflow) = UInt64(limits.streamsPerConnection).multipliedReportingOverflow(
            by: UInt64(limits.streamBuffer))
        quic.initialMaxData = overflow ? .max : all
        quic.activeConnectionIDLimit = 8
        var server = QUICServerConfiguration(quic: quic, tls: tls.current)
        server.secret = tls.secret
        server.repliesPerSecond = max(1_000, 2 * limits.handshakesPerSecond)
        return server
    }
}
