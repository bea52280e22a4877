import BridgeCore
import NIOCore
import QUICTransport

/// What the admin endpoint sees and does of `run`.
final class BridgeMonitor: CensusMonitor {
    let shared: SharedState
    let state: MonitorState<SessionHost>
    /// `nil`: it worked; otherwise the reason why it did not.
    private let probe = PacedProbe<String?>(every: .seconds(30))
    private let certificateDates: CertificateDates

    init(_ shared: SharedState) {
        self.shared = shared
        self.state = MonitorState { shared.configuration.limits.drainTimeout }
        self.certificateDates = CertificateDates(of: { CredentialFiles(shared.configuration) })
    }

    func status() async -> StatusReport {
        let running = state.running
        let clock = WallClock()
        let (connections, devices) = (await connections(), await running.census.counts())
        let verdict = shared.upstream.record.verdict(
            connections, isAwaited: devices.held > 0, isServing: devices.live > 0, at: .now())
        let draining = await drainingConnections()
        let (transport, endpoint) = way
        return StatusReport(
            program: state.program("run"),
            uplink: StatusReport.Uplink(
                state: verdict.state, transport: transport, endpoint: endpoint, mapping: mapping,
                since: verdict.since.map { clock.seconds(at: $0) } ?? state.startedAt, problem: verdict.problem,
                connections: connections.all + draining.all),
            listen: running.listen, devices: devices, certificates: await certificates())
    }

    func sample() async -> TrafficSample {
        let (census, totals) = (state.census, await traffic())
        let statistics = await census.collect { $0.currentStatistics }.reduce(BridgeStatistics(), +)
        var sample = TrafficSample()
        sample.messagesUp = totals.messages(.up)
        sample.messagesDown = totals.messages(.down)
        sample.bytesUp = statistics.bytesUp
        sample.bytesDown = statistics.bytesDown
        sample.acknowledgement = totals.acknowledgement
        sample.devices = await census.counts()
        return sample
    }

    func readiness() async -> ServiceState {
        guard !state.running.isDraining else {
            return ServiceState(ok: false, detail: "the bridge is draining: it takes no new devices")
        }
        guard !state.running.listen.isEmpty else {
            return ServiceState(ok: false, detail: "the bridge is starting or ending: it does not listen")
        }
        let (connections, devices) = (await connections(), await state.census.counts())
        let verdict = shared.upstream.record.verdict(
            connections, isAwaited: devices.held > 0, isServing: devices.live > 0, at: .now())
        switch verdict.state {
        case .up where connections.standing > 0:
            return ServiceState(ok: true, detail: "a connection to the broker stands")
        case .up:
            return ServiceState(ok: true, detail: "a handshake with the broker succeeded within the last minute")
        case .down:
            return ServiceState(
                ok: false, detail: "the broker cannot be reached: \(verdict.problem ?? "no reason is known")")
        case .unknown:
            // Nothing has been tried for a while, so it is tried now.
            guard let problem = await probe.outcome({ [shared] in await Self.tryBroker(shared) }) else {
                return ServiceState(ok: true, detail: "a handshake with the broker succeeded when it was tried")
            }
            return ServiceState(ok: false, detail: "the broker cannot be reached: \(problem)")
        }
    }
}

// MARK: - What it is put together from

extension BridgeMonitor {
    /// Those under the present settings.
    func connections() async -> UplinkRecord.Connections {
        await state.census.collect { $0.uplinkConnections }.reduce(UplinkRecord.Connections(), +)
    }

    /// Those that still carry devices under earlier settings. They say nothing about the way that the next devices take.
    private func drainingConnections() async -> UplinkRecord.Connections {
        await state.census.collect { $0.drainingConnections }.reduce(UplinkRecord.Connections(), +)
    }

    /// Those of the files, and the broker's own.
    private func certificates() async -> [StatusReport.Certificate] {
        await certificateDates.current + [shared.shownCertificate.current].compactMap { $0 }
    }

    func traffic() async -> TrafficTotals {
        await state.census.collect { $0.traffic.totals }.reduce(TrafficTotals(), +)
    }

    /// The way that new connections take.
    private var way: (transport: String, endpoint: String) {
        let settings = shared.generation.uplink
        let uplink = settings.configuration.uplink
        switch settings.upstream.chosen {
        case .quic(let index):
            guard uplink.endpoints.indices.contains(index) else { return ("quic", "") }
            return ("quic", "\(uplink.endpoints[index].host):\(uplink.endpoints[index].port)")
        case .tls:
            return ("tls", uplink.fallback.map { "\($0.host):\($0.port)" } ?? "")
        }
    }

    private var mapping: String? {
        let configured = shared.configuration.uplink.mapping
        return configured == .auto ? shared.chosenMapping.known?.rawValue : configured.rawValue
    }

    /// One handshake as a device's on each way until one works, first on the one in use; `nil` if one of them worked.
    private static func tryBroker(_ shared: SharedState) async -> String? {
        var uplink = shared.configuration.uplink
        var endpoints = uplink.endpoints
        if case .quic(let index) = shared.generation.uplink.upstream.chosen, endpoints.indices.contains(index) {
            endpoints.swapAt(0, index)
        }
        var failures: [String] = []
        for endpoint in endpoints {
            uplink.endpoints = [endpoint]
            do {
                _ = try await UplinkProbe.run(uplink, logger: shared.logger)
                return nil
            } catch {
                failures.append(endpoints.count == 1 ? "\(error)" : "\(endpoint.host):\(endpoint.port): \(error)")
            }
        }
        let why = failures.joined(separator: "; ")
        guard shared.fallback != nil else { return why }
        do {
            _ = try await FallbackProbe.run(shared.configuration)
            return nil
        } catch {
            return "over QUIC: \(why); over TLS: \(error)"
        }
    }
}

extension SessionHost {
    /// The connections of this loop that carry devices or are ready to.
    var uplinkConnections: UplinkRecord.Connections {
        var found = ([uplink] + gateways.values).map(\.standing).reduce(UplinkRecord.Connections(), +)
        found.connects = connects
        return found
    }

    /// The connections that were made before a reload changed how they are made.
    var drainingConnections: UplinkRecord.Connections {
        draining.values.map(\.standing).reduce(UplinkRecord.Connections(), +)
    }
}
