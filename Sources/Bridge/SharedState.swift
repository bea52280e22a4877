import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import QUICTransport
import Synchronization
import TLSTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What all event loops share. The data path uses none of it.
final class SharedState: Sendable {
    let logger: Logger
    let admission: SharedAdmission
    let clientIDs = ClientIDs()
    let gatewayNumbers = GatewayNumbers()
    let pathNews: PathNews
    let shownCertificate = ShownCertificate()
    let holdBudget: HoldBudget
    let longPackets = LongPacketBudget(limit: LimitsConfiguration.longPackets)
    /// How often better ways to the broker than the one in use are tried.
    let probing: WayChoice.Probing
    /// The sessions of each event loop, while the service runs.
    let loops = Mutex<[NIOLoopBound<SessionHost>]>([])
    /// Reads bundles; `nil` if the mode `bundles` is not available.
    let openBundles: BundleOpener?
    private let present: Mutex<Generation>

    /// Reads the files that the configuration names. Throws what makes the configuration unusable.
    init(
        configuration: BridgeConfiguration, probing: WayChoice.Probing = .init(), bundles: BundleOpener? = nil,
        logger: Logger
    ) throws {
        self.logger = logger
        self.probing = probing
        self.openBundles = bundles
        self.pathNews = PathNews(logger: logger)
        self.holdBudget = HoldBudget(limit: configuration.uplink.hold.totalBuffer)
        self.admission = SharedAdmission(
            limits: configuration.limits, threads: configuration.threads, logger: logger)
        self.present = Mutex(
            try Generation(
                first: configuration, budget: holdBudget, probing: probing, bundles: bundles, logger: logger))
    }

    /// What is in force. An event loop takes a new generation over a moment later, with ``SessionHost/adopt(_:)``.
    var generation: Generation { present.withLock { $0 } }

    /// Puts a generation in force for everything that is not bound to an event loop.
    func adopt(_ generation: Generation) {
        let configuration = generation.configuration
        holdBudget.limit = configuration.uplink.hold.totalBuffer
        admission.adopt(configuration.limits)
        present.withLock { $0 = generation }
    }
}

// MARK: - What is in force

extension SharedState {
    var configuration: BridgeConfiguration { generation.configuration }
    var tls: QUICTLSContext { generation.uplink.tls }
    var tickets: TicketStore { generation.uplink.tickets }
    var upstream: Upstream { generation.uplink.upstream }
    var fallback: TLSClientContext? { generation.uplink.fallback }
    var chosenMapping: ChosenMapping { generation.uplink.chosenMapping }
    var hold: HoldPolicy? { generation.hold }
}

extension SharedState {
    /// Reads the files that a start reads, and creates none. Throws what makes the configuration unusable.
    static func check(_ configuration: BridgeConfiguration) throws {
        var uplink = configuration.uplink
        if let path = uplink.tlsKeyLogFile { try checkIsWritable(path) }
        // Otherwise the context would create the file.
        uplink.tlsKeyLogFile = nil
        _ = try QUICTLSContext.client(uplink)
        _ = try uplink.usableFallback.map { try TLSClientContext($0, uplink) }
        _ = try SessionRules(configuration)
        _ = try configuration.auth.usersFile.map { try LocalUsers(path: $0) }
    }

    /// Throws if the file exists but cannot be written. The configuration loader checks its folder.
    private static func checkIsWritable(_ path: String) throws(QUICError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK)
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

    private let threads: Int

    init(limits: LimitsConfiguration, threads: Int, logger: Logger) {
        self.threads = threads
        self.state = Mutex(State(control: AdmissionControl(limits: limits, now: .now())))
        self.logger = logger
    }

    func admit(from address: String) -> AdmissionControl.Decision {
        let now = NIODeadline.now()
        let files = OpenFiles.devices(besides: threads)
        let (decision, report) = state.withLock { state in
            let decision = state.control.admit(from: address, at: now, files: files)
            return (decision, decision == .admit ? nil : state.refusals.add(at: now))
        }
        if let report, let reason = decision.reason {
            logger.warning(
                "devices refused",
                metadata: ["count": "\(report)", "peer": "\(address)", "reason": "\(reason)", "leg": "device"])
        }
        return decision
    }

    func adopt(_ limits: LimitsConfiguration) {
        state.withLock { $0.control.adopt(limits, now: .now()) }
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
