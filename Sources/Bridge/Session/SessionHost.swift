import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// What the sessions of one event loop share.
final class SessionHost {
    let configuration: BridgeConfiguration
    let eventLoop: any EventLoop
    let logger: Logger
    let connector: UplinkConnector
    private let routes: RoutingTable
    private let identities: IdentityMapper
    private let admission: SharedAdmission
    private var drivers: [ObjectIdentifier: SessionDriver] = [:]
    private var whenEmpty: EventLoopPromise<Void>?

    init(shared: SharedState, eventLoop: any EventLoop) {
        self.configuration = shared.configuration
        self.eventLoop = eventLoop
        self.logger = shared.logger
        self.routes = shared.routes
        self.identities = shared.identities
        self.admission = shared.admission
        self.connector = UplinkConnector(
            configuration: shared.configuration, eventLoop: eventLoop, tls: shared.tls, logger: shared.logger)
    }

    func sessionContext(_ decision: AdmissionControl.Decision, listener: String, peer: String) -> SessionContext {
        let overLimit: String? = if case .refuse(let why) = decision { why } else { nil }
        return SessionContext(
            routes: routes, identities: identities, maximumPacketSize: configuration.limits.packetSize,
            connectWithin: configuration.limits.connectWithin, connectTimeout: configuration.uplink.connectTimeout,
            listener: listener, peer: peer, makeClientID: Self.makeClientID, overLimit: overLimit)
    }

    func add(_ driver: SessionDriver) {
        drivers[ObjectIdentifier(driver)] = driver
    }

    func remove(_ driver: SessionDriver, _ decision: AdmissionControl.Decision, peer: String) {
        guard drivers.removeValue(forKey: ObjectIdentifier(driver)) != nil else { return }
        admission.left(decision, from: peer)
        if drivers.isEmpty { whenEmpty?.succeed() }
    }

    /// Ends all sessions in order; completes when the last is over.
    func shutDown() -> EventLoopFuture<Void> {
        let promise = whenEmpty ?? eventLoop.makePromise()
        whenEmpty = promise
        for driver in drivers.values { driver.shutDown() }
        if drivers.isEmpty { promise.succeed() }
        return promise.futureResult
    }

    /// 19 characters: within what every server has to take ([MQTT-3.1.3-5]).
    private static let makeClientID: @Sendable () -> String = {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return "mqb" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
