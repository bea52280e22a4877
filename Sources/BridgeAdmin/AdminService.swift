import BridgeCore
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// The admin endpoint as one service: HTTP for watching and controlling the program. It has a thread of its own, so that
/// it neither waits for the event loops of the devices nor holds them up.
package struct AdminService: Service {
    private let configuration: AdminConfiguration
    private let address: ListenAddress
    private let token: BearerToken?
    private let service: any MonitoredService
    private let controls: AdminControls
    private let limits: AdminLimits
    private let logger: Logger

    /// `nil` if there is to be no endpoint. Throws ``AdminTokenError`` if there is no token in the file that should have
    /// one.
    package init?(
        configuration: AdminConfiguration, service: any MonitoredService, controls: AdminControls, logger: Logger
    ) throws {
        try self.init(
            configuration: configuration, service: service, controls: controls, limits: AdminLimits(), logger: logger)
    }

    init?(
        configuration: AdminConfiguration, service: any MonitoredService, controls: AdminControls, limits: AdminLimits,
        logger: Logger
    ) throws {
        guard let address = configuration.listen else { return nil }
        self.configuration = configuration
        self.address = address
        self.token = try configuration.tokenFile.map { file throws(AdminTokenError) in try BearerToken(file: file) }
        self.service = service
        self.controls = controls
        self.limits = limits
        self.logger = logger
        MetricsRegistry.install()
    }

    /// Runs until graceful shutdown or cancellation, and ends a few seconds after it whatever clients do.
    ///
    /// Throws ``AdminListenError`` if an address that the configuration names is not available. Without the default
    /// address the program goes on, and a warning says so.
    package func run() async throws {
        try await run { _ in }
    }

    /// - Parameter running: Is called with the port once the endpoint listens.
    func run(_ running: @escaping @Sendable (Int) -> Void) async throws {
        do {
            let feed = EventFeed(service: service, troubles: controls.troubles)
            try await AdminServer(limits, logger).run(responder(feed), feed: feed, on: address) {
                [address, logger] local in
                let port = local?.port ?? address.port
                let listening = ListenAddress(host: address.host, port: port)
                logger.info("listening", metadata: ["address": "\(listening.name)", "leg": "admin"])
                running(port)
            }
        } catch let error as AdminListenError where !configuration.isListenGiven {
            logger.warning(
                "no admin endpoint: its default address is not available", metadata: ["error": "\(error)"])
            try? await gracefulShutdown()
        }
    }

    private func responder(_ feed: EventFeed) -> AdminResponder {
        let check = RequestCheck(token: token, hostNames: configuration.hostNames, bodyLimit: limits.body)
        return AdminResponder(
            AdminRouter.make(feed: feed, service: service, controls: controls, limits: limits), check: check,
            logger: logger)
    }
}
