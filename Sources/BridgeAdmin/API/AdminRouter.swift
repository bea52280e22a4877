import BridgeCore
import Hummingbird

/// Puts every route of the admin endpoint together.
enum AdminRouter {
    static func make(
        feed: EventFeed, service: any MonitoredService, controls: AdminControls, limits: AdminLimits
    ) -> Router<AdminContext> {
        let router = Router(context: AdminContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: MetricsMiddleware())
        router.addPage(feed: feed)
        router.addHealth(service)
        router.addDevices(service)
        router.addHistory(feed)
        router.addControls(controls, service, bodyLimit: limits.body)
        router.addMetrics(Scraper(service))
        router.addDescription()
        return router
    }
}
