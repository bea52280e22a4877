import Hummingbird

private struct HistoryAnswer: Encodable {
    /// The oldest first.
    let samples: [HistorySample]
}

extension Router where Context == AdminContext {
    /// The last 15 minutes, as the page shows them.
    func addHistory(_ feed: EventFeed) {
        get("/api/history") { request, _ in
            _ = try QueryReader(request, [])
            return try Answer.json(HistoryAnswer(samples: await feed.samples))
        }
    }
}
