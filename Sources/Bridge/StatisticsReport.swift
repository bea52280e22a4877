import Logging
import QUICTransport

/// One line of figures in the log: now and then, and when somebody asks for it.
struct StatisticsReport: Sendable {
    static let interval = Duration.seconds(300)

    typealias Fields = [(name: String, value: String)]

    let logger: Logger
    /// The figures as of now.
    let collect: @Sendable () async -> Fields

    /// Every five minutes, where anything has changed, and at each element of `requests`; until it is cancelled.
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
        for (name, value) in fields { metadata[name] = "\(value)" }
        logger.info("statistics", metadata: metadata)
    }
}
