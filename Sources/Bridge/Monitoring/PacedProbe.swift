/// Tries something when asked, but not again before a while has passed, and never twice at once: everybody who asks in
/// between gets the last outcome, or waits for the one that is under way.
actor PacedProbe {
    /// `nil`: it worked; otherwise the reason why it did not.
    typealias Try = @Sendable () async -> String?

    private let interval: Duration
    private let attempt: Try
    private var last: (task: Task<String?, Never>, at: ContinuousClock.Instant)?

    init(every interval: Duration, _ attempt: @escaping Try) {
        self.interval = interval
        self.attempt = attempt
    }

    func outcome() async -> String? {
        if let last, last.at + interval > .now { return await last.task.value }
        let task = Task { [attempt] in await attempt() }
        last = (task, .now)
        return await task.value
    }
}
