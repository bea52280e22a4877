import BridgeCore
import Logging
import NIOCore
import QUICTransport
import Synchronization

/// What all event loops share; nothing of it is touched on the data path.
final class SharedState: Sendable {
    let configuration: BridgeConfiguration
    let logger: Logger
    let tls: QUICTLSContext
    let routes: RoutingTable
    let identities: IdentityMapper
    let admission: SharedAdmission

    /// Reads the certificates. Throws what makes the configuration unusable.
    init(configuration: BridgeConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        self.tls = try QUICTLSContext.client(configuration.uplink)
        self.routes = try RoutingTable(routes: configuration.routes, unrouted: configuration.unrouted)
        self.identities = try IdentityMapper(configuration.auth)
        self.admission = SharedAdmission(limits: configuration.limits)
    }
}

/// ``AdmissionControl`` for all event loops: one short lock an accepted or ended connection.
final class SharedAdmission: Sendable {
    private let control: Mutex<AdmissionControl>

    init(limits: LimitsConfiguration) {
        control = Mutex(AdmissionControl(limits: limits, now: .now()))
    }

    func admit(from address: String) -> AdmissionControl.Decision {
        control.withLock { $0.admit(from: address, at: .now()) }
    }

    func left(_ decision: AdmissionControl.Decision, from address: String) {
        control.withLock { $0.left(decision, from: address) }
    }
}

extension QUICTLSContext {
    package static func client(_ uplink: UplinkConfiguration) throws(QUICError) -> QUICTLSContext {
        try client(
            caFile: uplink.caFile, certificateFile: uplink.clientCertificateFile, keyFile: uplink.clientKeyFile,
            keyLogFile: uplink.tlsKeyLogFile)
    }
}
