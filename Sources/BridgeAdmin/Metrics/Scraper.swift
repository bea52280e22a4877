import BridgeCore

/// Puts the text of `/metrics` together. Scrapes at the same time share one text, so that several Prometheus servers cost
/// the event loops no more than one.
actor Scraper {
    private let service: any MonitoredService
    private var underWay: Task<String, Never>?

    init(_ service: any MonitoredService) {
        self.service = service
    }

    func text() async -> String {
        if let underWay { return await underWay.value }
        let task = Task { [service] in
            let own = await service.metrics()
            return MetricsText.render(own + ProcessMetrics.families() + MetricsRegistry.shared.families())
        }
        underWay = task
        defer { underWay = nil }
        return await task.value
    }
}
