import BridgeCore
import Logging

/// One line of figures now and then.
struct StatisticsReport {
    static let interval = Duration.seconds(300)

    let hosts: ServeHosts
    let logger: Logger

    /// Every five minutes, where anything has changed; until it is cancelled.
    func run() async {
        var last = ServeStatistics()
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let now = await hosts.statistics()
            if now != last { report(now) }
            last = now
        }
    }

    func report() async {
        report(await hosts.statistics())
    }

    private func report(_ statistics: ServeStatistics) {
        var metadata: Logger.Metadata = [:]
        for (name, value) in statistics.fields { metadata[name] = "\(value)" }
        logger.info("statistics", metadata: metadata)
    }
}
