import BridgeCore
import Logging
import NIOCore
import QUICTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What all event loops share. The data path uses none of it.
final class SharedState: Sendable {
    let configuration: BridgeConfiguration
    let logger: Logger
    let tls: QUICTLSContext
    let routes: RoutingTable
    let identities: IdentityMapper
    let admission: SharedAdmission
    /// The users that the bridge itself authenticates; only the mapping `data-stream` has them.
    let users: LocalUsers?
    let clientIDs = ClientIDs()
    let gatewayNumbers = GatewayNumbers()
    let chosenMapping = ChosenMapping()
    let pathNews: PathNews
    let shownCertificate = ShownCertificate()
    let tickets: TicketStore
    let upstream: Upstream
    /// The TLS side of `uplink.fallback`; `nil` if there is no fallback to use.
    let fallback: TLSUplinkContext?
    let stockShares: StockShares
    /// `nil` if devices are disconnected when their uplink is lost.
    let hold: HoldPolicy?

    /// Reads the files that the configuration names. Throws what makes the configuration unusable.
    init(
        configuration: BridgeConfiguration, probing: WayChoice.Probing = .init(), logger: Logger
    ) throws {
        self.configuration = configuration
        self.logger = logger
        self.pathNews = PathNews(logger: logger)
        self.upstream = Upstream(configuration.uplink, probing: probing, logger: logger)
        // This comes before all others that read these files, because its errors say best what is wrong with them.
        self.tls = try QUICTLSContext.client(configuration.uplink)
        self.fallback = try configuration.uplink.usableFallback.map { try TLSUplinkContext($0, configuration.uplink) }
        self.routes = try RoutingTable(routes: configuration.routes, unrouted: configuration.unrouted)
        self.identities = try IdentityMapper(configuration.auth)
        self.users = try configuration.auth.usersFile.map { try LocalUsers(path: $0) }
        let uplink = configuration.uplink
        self.tickets = TicketStore(uplink, trust: tls.trust, logger: logger)
        self.stockShares = StockShares(total: uplink.warm, loops: configuration.threads)
        self.hold =
            uplink.onLoss == .hold
            ? HoldPolicy(uplink.hold, budget: HoldBudget(limit: uplink.hold.totalBuffer)) : nil
        self.admission = SharedAdmission(limits: configuration.limits, logger: logger)
    }
}

extension SharedState {
    /// Reads the files that a start reads, and creates none. Throws what makes the configuration unusable.
    static func check(_ configuration: BridgeConfiguration) throws {
        var uplink = configuration.uplink
        if let path = uplink.tlsKeyLogFile { try checkIsWritable(path) }
        // Otherwise the context would create the file.
        uplink.tlsKeyLogFile = nil
        _ = try QUICTLSContext.client(uplink)
        _ = try uplink.usableFallback.map { try TLSUplinkContext($0, uplink) }
        _ = try RoutingTable(routes: configuration.routes, unrouted: configuration.unrouted)
        _ = try IdentityMapper(configuration.auth)
        _ = try configuration.auth.usersFile.map { try LocalUsers(path: $0) }
    }

    /// Throws if the file exists but cannot be written. The configuration loader checks its folder.
    private static func checkIsWritable(_ path: String) throws(QUICError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return
        }
        if errno != ENOENT { throw .fileUnreadable(path: path, why: String(cString: strerror(errno))) }
    }
}

/// ``AdmissionControl`` for all event loops. The lock is held briefly, when a connection is accepted or ends.
final class SharedAdmission: Sendable {
    private struct State {
        var control: AdmissionControl
        var refusals = RefusalTally()
    }

    private let state: Mutex<State>
    private let logger: Logger

    init(limits: LimitsConfiguration, logger: Logger) {
        self.state = Mutex(State(control: AdmissionControl(limits: limits, now: .now())))
        self.logger = logger
    }

    func admit(from address: String) -> AdmissionControl.Decision {
        let now = NIODeadline.now()
        let (decision, report) = state.withLock { state in
            let decision = state.control.admit(from: address, at: now)
            return (decision, decision == .admit ? nil : state.refusals.add(at: now))
        }
        if let report, let reason = decision.reason {
            logger.warning(
                "devices refused",
                metadata: ["count": "\(report)", "peer": "\(address)", "reason": "\(reason)", "leg": "device"])
        }
        return decision
    }

    func left(_ decision: AdmissionControl.Decision, from address: String) {
        state.withLock { $0.control.left(decision, from: address) }
    }
}

extension QUICTLSContext {
    /// The TLS context of the uplink. Reads the files that `uplink` names, and throws what is wrong with them.
    package static func client(_ uplink: UplinkConfiguration) throws(QUICError) -> QUICTLSContext {
        try client(
            caFile: uplink.caFile, certificateFile: uplink.clientCertificateFile, keyFile: uplink.clientKeyFile,
            keyLogFile: uplink.tlsKeyLogFile)
    }
}
