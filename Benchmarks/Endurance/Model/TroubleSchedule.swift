/// Which trouble begins when, from a seed.
///
/// Kinds come in rounds: each round has every kind once, in random order. Bridges and `serve` are started again only in
/// the first part of a run, because what grows in a process shows only in a long life of it.
package struct TroubleSchedule: Sendable {
    package struct Entry: Sendable, Equatable {
        /// In seconds from the beginning of the run.
        package let at: Double
        package let kind: Trouble.Kind
        /// The group whose bridge or `serve` it concerns; `nil` for all.
        package let group: Group?
        /// How long it lasts, in seconds; 0 if it is over at once.
        package let lasts: Double
    }

    package let entries: [Entry]
    /// When the last start of a process of the bridge is over, in seconds.
    package let settled: Double

    /// Devices connect and become steady first, in seconds.
    package static let warmUp = 25.0
    /// How long everything may take to come to rest at the end, in seconds.
    package static let drain = 60.0
    /// The shortest run, in which each kind has its turn, in seconds.
    package static let shortest = 240.0

    /// - Parameters:
    ///   - seconds: how long the run lasts.
    ///   - hasLink: whether there is a link that can fail.
    ///   - groups: the groups that have a bridge and `serve`.
    ///   - kinds: the troubles that there may be.
    package init(
        seconds: Double, seed: UInt64, hasLink: Bool, groups: [Group] = [.connection, .mux],
        kinds: [Trouble.Kind] = Trouble.Kind.scheduled
    ) {
        let kinds = kinds.filter { (hasLink || !$0.needsLink) && (!groups.isEmpty || !$0.needsBridge) }
        let room = seconds - Self.drain - Self.warmUp
        let gap = min(Self.longestGap, room / Double(kinds.count + 1))
        settled = Self.warmUp + max(room * Self.restarting, gap * Double(kinds.count))
        let last = seconds - Self.drain
        entries = kinds.isEmpty ? [] : Self.rounds(kinds, groups, gap, restartsUntil: settled, until: last, seed)
    }

    /// Seconds between two troubles in the mean, in a run that has time for many.
    private static let longestGap = 30.0
    /// The part of a run in which bridges and `serve` are started again.
    private static let restarting = 0.4

    private static func rounds(
        _ kinds: [Trouble.Kind], _ groups: [Group], _ gap: Double, restartsUntil settled: Double, until end: Double,
        _ seed: UInt64
    ) -> [Entry] {
        var random = RandomNumbers(seed: seed)
        var groups = groups.shuffled(using: &random)
        var entries: [Entry] = []
        var time = warmUp
        while time + gap <= end {
            for kind in kinds.shuffled(using: &random) where time + gap <= end {
                if kind.restartsProgram, time > settled { continue }
                if kind.restartsProgram { groups.reverse() }
                let longest = min(kind.duration.upperBound, max(kind.duration.lowerBound, gap * 2))
                let lasts = Double.random(in: kind.duration.lowerBound...longest, using: &random)
                entries.append(
                    Entry(at: time, kind: kind, group: kind.restartsProgram ? groups.first : nil, lasts: lasts))
                time += gap * Double.random(in: 0.8...1.2, using: &random)
            }
        }
        return entries
    }
}

extension Trouble.Kind {
    var needsLink: Bool { self == .outage || self == .rebind || self == .lossBurst }

    /// Whether it is about a bridge or `serve`.
    var needsBridge: Bool { !needsLink && self != .brokerRestart }

    /// Whether a process of the bridge ends and is started again.
    var restartsProgram: Bool {
        switch self {
        case .serveRestart, .serveKill, .bridgeRestart, .bridgeKill: true
        case .start, .stall, .outage, .rebind, .lossBurst, .brokerRestart, .bridgeReload, .certificateRenewal,
            .listenerGarbage, .serveGarbage, .bridgeGarbage:
            false
        }
    }

    /// How long it lasts, in seconds.
    var duration: ClosedRange<Double> {
        switch self {
        case .outage: 5...40
        case .lossBurst: 5...15
        case .brokerRestart, .serveRestart, .serveKill, .bridgeRestart, .bridgeKill: 0.5...4
        case .listenerGarbage, .serveGarbage, .bridgeGarbage: 2...4
        case .start, .stall, .rebind, .bridgeReload, .certificateRenewal: 0...0
        }
    }
}
