import BridgeCore
import CoreMetrics
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// The admin endpoint as one service: HTTP for watching and controlling the program.
package struct AdminService: Service {
    private let configuration: AdminConfiguration
    private let service: any MonitoredService
    private let controls: AdminControls
    private let logger: Logger

    package init(
        configuration: AdminConfiguration, service: any MonitoredService, controls: AdminControls, logger: Logger
    ) {
        self.configuration = configuration
        self.service = service
        self.controls = controls
        self.logger = logger
    }

    /// Runs until graceful shutdown or cancellation.
    package func run() async throws {
        let router = Router()
        router.get("/healthz") { [service] _, _ in await service.liveness().detail }
        let address = configuration.listen ?? AdminConfiguration.defaultAddress
        let application = Application(
            router: router, configuration: .init(address: .hostname(address.host, port: address.port)),
            logger: logger)
        try await application.run()
    }
}
