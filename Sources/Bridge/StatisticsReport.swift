import Logging
import QUICTransport

/// Writes a line of statistics to the log, periodically and on request.
struct StatisticsReport: Sendable {
    static let interval = Duration.seconds(300)

    typealias Fields = [(name: String, value: String)]

    let logger: Logger
    /// Returns the statistics as of now.
    let collect: @Sendable () async -> Fields

    /// Reports at each element of `requests`, and every five minutes if anything has changed, until the task is
    /// cancelled.
    func run(_ requests: AsyncStream<Void>) async {
        await withTaskGroup { group in
            group.addTask { await everyInterval() }
            group.addTask {
                for await _ in requests { await report() }
            }
        }
    }

    private func everyInterval() async {
        var last = await collect()
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let now = await collect()
            if !now.elementsEqual(last, by: ==) { report(now) }
            last = now
        }
    }

    func report() async {
        report(await collect())
    }

    private func report(_ fields: Fields) {
        var metadata: Logger.Metadata = ["timer_firings": "\(TimerFirings.total)"]
        let waits = GatherWaits.total
        if waits > 0 { metadata["gather_waits"] = "\(waits)" }
        for (name, value) in fields { metadata[name] = "\(value)" }
        logger.info("statistics", metadata: metadata)
    }
}
