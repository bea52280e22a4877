import BridgeCore
import NIOCore
import NIOPosix
import QUICTransport

/// What the admin endpoint sees and does of `serve`.
final class ServeMonitor: CensusMonitor {
    private let inForce: ServeState
    let state: MonitorState<ServeHost>
    /// `nil`: it worked; otherwise the reason why it did not.
    private let probe = PacedProbe<String?>(every: .seconds(5))
    private let certificateDates: CertificateDates
    var configuration: ServeConfiguration { inForce.configuration }

    init(_ inForce: ServeState) {
        self.inForce = inForce
        self.state = MonitorState { inForce.configuration.limits.drainTimeout }
        self.certificateDates = CertificateDates(of: { CredentialFiles(inForce.configuration) })
    }

    func status() async -> StatusReport {
        let running = state.running
        let clock = WallClock()
        let verdict = await verdict()
        return StatusReport(
            program: state.program("serve"),
            uplink: StatusReport.Uplink(
                state: verdict.state, transport: "tcp",
                endpoint: "\(configuration.brokerHost):\(configuration.brokerPort)",
                since: verdict.since.map { clock.seconds(at: $0) } ?? state.startedAt, problem: verdict.problem,
                connections: await statistics().openSessions),
            listen: running.listen, devices: await running.census.counts(), certificates: await certificateDates.current
        )
    }

    /// `serve` reads only the fixed headers of the packets that it passes on, so it knows no acknowledgement times.
    func sample() async -> TrafficSample {
        let statistics = await statistics()
        var sample = TrafficSample()
        sample.messagesUp = statistics.messagesUp
        sample.messagesDown = statistics.messagesDown
        sample.bytesUp = statistics.bytesUp
        sample.bytesDown = statistics.bytesDown
        sample.devices = await state.census.counts()
        return sample
    }

    func readiness() async -> ServiceState {
        guard !state.running.isDraining else {
            return ServiceState(ok: false, detail: "the server is draining: it takes no new clients")
        }
        guard !state.running.listen.isEmpty else {
            return ServiceState(ok: false, detail: "the server is starting or ending: it does not listen")
        }
        let verdict = await verdict()
        if verdict.state == .up, await statistics().openSessions > 0 {
            return ServiceState(ok: true, detail: "connections to the broker stand")
        }
        guard let problem = await probe.outcome({ [configuration] in await Self.tryBroker(configuration) }) else {
            return ServiceState(ok: true, detail: "the broker accepts connections")
        }
        return ServiceState(ok: false, detail: "the broker cannot be reached: \(problem)")
    }
}

// MARK: - What it is put together from

extension ServeMonitor {
    func statistics() async -> ServeStatistics {
        await state.census.collect { $0.currentStatistics }.reduce(ServeStatistics(), +)
    }

    func verdict() async -> UplinkRecord.Verdict {
        let record = await state.census.collect { $0.broker.record }.reduce(UplinkRecord(), UplinkRecord.latest)
        var connections = UplinkRecord.Connections()
        // A failure is no less true because older connections stand: the next session fails.
        if record.problem == nil { connections.standing = await statistics().openSessions }
        return record.verdict(connections, at: .now())
    }

    private static func tryBroker(_ configuration: ServeConfiguration) async -> String? {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(TimeAmount(configuration.brokerConnectTimeout))
                .connect(host: configuration.brokerHost, port: configuration.brokerPort).get()
            // A broker that expects a PROXY header would log a connection without one as an error.
            if configuration.sendsProxyHeader { try? await channel.writeAndFlush(ProxyHeader.local).get() }
            try? await channel.close().get()
            return nil
        } catch {
            return error.inWords
        }
    }
}
