import BridgeCore
import CoreMetrics
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// The admin endpoint as one service: HTTP for watching and controlling the program.
package struct AdminService: Service {
    private let configuration: AdminConfiguration
    private let address: ListenAddress
    private let service: any MonitoredService
    private let controls: AdminControls
    private let logger: Logger

    /// `nil` if there is to be no endpoint.
    package init?(
        configuration: AdminConfiguration, service: any MonitoredService, controls: AdminControls, logger: Logger
    ) {
        guard let address = configuration.listen else { return nil }
        self.configuration = configuration
        self.address = address
        self.service = service
        self.controls = controls
        self.logger = logger
    }

    /// Runs until graceful shutdown or cancellation.
    package func run() async throws {
        let router = Router()
        router.get("/healthz") { [service] _, _ in await service.liveness().detail }
        let application = Application(
            router: router, configuration: .init(address: .hostname(address.host, port: address.port)),
            logger: logger)
        try await application.run()
    }
}
