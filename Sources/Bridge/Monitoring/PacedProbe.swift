/// Tries something when asked, but not again before a while has passed since the last try ended, and never twice at once:
/// everybody who asks in between gets the last outcome, or waits for the one that is under way.
actor PacedProbe<Outcome: Sendable> {
    private let interval: Duration
    private var last: (task: Task<Outcome, Never>, endedAt: ContinuousClock.Instant?)?

    init(every interval: Duration) {
        self.interval = interval
    }

    /// The outcome of `attempt`, or of a previous one that is not too old.
    func outcome(_ attempt: @escaping @Sendable () async -> Outcome) async -> Outcome {
        if let last, last.endedAt.map({ $0 + interval > .now }) ?? true { return await last.task.value }
        let task = Task { await attempt() }
        last = (task, nil)
        let outcome = await task.value
        // Nobody has begun another one meanwhile, because this one had not ended.
        last?.endedAt = .now
        return outcome
    }
}
