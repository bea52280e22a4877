/// What a run does at which time, in seconds from the first message.
struct Timeline {
    enum Moment: Equatable {
        case windowBegins(Int)
        case windowEnds(Int)
        case event(Condition.Event.Action)
        /// The broker that was killed starts again.
        case brokerReturns
    }

    let entries: [(at: Double, moment: Moment)]

    init(_ windows: [Window], _ events: [Condition.Event]) {
        var entries: [(at: Double, moment: Moment)] = []
        for (index, window) in windows.enumerated() {
            entries.append((window.from, .windowBegins(index)))
            entries.append((window.to, .windowEnds(index)))
        }
        for event in events {
            entries.append((event.at, .event(event.action)))
            if case .brokerDeath(let seconds) = event.action { entries.append((event.at + seconds, .brokerReturns)) }
        }
        self.entries = entries.sorted { $0.at < $1.at }
    }
}
