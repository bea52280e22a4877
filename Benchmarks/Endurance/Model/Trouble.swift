/// One thing that goes wrong, or that an operator does, while devices publish.
package struct Trouble: Sendable, Equatable {
    package enum Kind: String, CaseIterable, Sendable, Codable {
        case outage
        case rebind
        case lossBurst = "loss burst"
        case serveRestart = "serve restart"
        case serveKill = "serve kill"
        case brokerRestart = "broker restart"
        case bridgeReload = "bridge reload"
        case bridgeRestart = "bridge restart"
        case bridgeKill = "bridge kill"
        case certificateRenewal = "certificate renewal"
        case listenerGarbage = "garbage at the listeners"
        case serveGarbage = "garbage at serve"
        case bridgeGarbage = "garbage at the bridge"
        /// All devices connect, which may be more than the machine can do at once. Not in the schedule.
        case start
        /// The machine has not let the run's own clock tick: it was too busy, or did not run at all. Not in the schedule.
        case stall = "machine stalled"

        /// What a schedule may contain.
        package static var scheduled: [Kind] { allCases.filter { $0 != .start && $0 != .stall } }
    }

    package let kind: Kind
    /// The group that it concerns; `nil` for all.
    package let group: Group?
    /// In seconds from the beginning of the run.
    package let begin: Double
    /// `nil` while it lasts.
    package var end: Double?

    package init(_ kind: Kind, _ group: Group? = nil, begin: Double, end: Double? = nil) {
        self.kind = kind
        self.group = group
        self.begin = begin
        self.end = end
    }

    package var title: String { group.map { "\(kind.rawValue) (\($0.rawValue))" } ?? kind.rawValue }
}

/// What may happen because of a trouble, and would be a fault without one.
package enum Excuse: Sendable, CaseIterable {
    /// A message with QoS 0 is lost.
    case lostQoS0
    /// A message with QoS 1 arrives twice.
    case doubledQoS1
    /// A message with QoS 2 arrives twice, of a device whose session the broker forgets with the connection.
    case doubledForgotten
    /// The same of a device whose session a broker does not save when it is started again: Mosquitto 2.0 saves none that
    /// began with Clean Start, whatever its Session Expiry.
    case doubledUnsaved
    /// The connection of a device ends.
    case closed
    /// A device is not accepted.
    case refused
    /// A will is published for a device that is held, or is late or missing.
    case will
    /// A will is published although the bridge has raised its delay.
    case delayedWill
}

extension Trouble {
    /// How long its effects may last after its end, in seconds: devices return within this time.
    package static func settling(_ group: Group) -> Double {
        // Without the bridge a device learns from its own keepalive that its TCP connection is dead.
        group == .direct ? 2 * Double(DeviceKind.keepAlive) + 20 : 20
    }

    /// What it excuses for the devices of a group.
    package func excuses(_ group: Group) -> Set<Excuse> {
        guard self.group == nil || self.group == group else { return [] }
        let isDirect = group == .direct
        return switch kind {
        // What an operator does in passing, and what strangers send, must not be noticed by anyone.
        case .bridgeReload, .certificateRenewal, .listenerGarbage, .serveGarbage, .bridgeGarbage: []
        case .lossBurst: isDirect ? [.will, .refused] : []
        // The bridge holds devices that are connected. Without it, TCP connections end.
        case .outage, .rebind, .serveRestart, .serveKill:
            isDirect ? Set(Excuse.allCases) : [.lostQoS0, .doubledQoS1, .doubledForgotten, .will, .refused]
        // A broker that ends publishes all wills, without their delays.
        case .start, .brokerRestart: isDirect ? Set(Excuse.allCases) : Set(Excuse.allCases).subtracting([.closed])
        // No program was in time, and what they make of that is an outage for some and silence for others.
        case .stall: Set(Excuse.allCases).subtracting([.doubledUnsaved])
        case .bridgeRestart, .bridgeKill: Set(Excuse.allCases).subtracting(isDirect ? [] : [.doubledUnsaved])
        }
    }
}

/// The troubles of a run so far.
package struct TroubleLog: Sendable {
    package private(set) var all: [Trouble] = []
    /// A message that was sent this long before a trouble may still have been under way, in seconds.
    private static let lead = 3.0
    /// When the clock ticked last.
    private var ticked: Double?
    /// Ticks are much closer together than this many seconds, unless the machine stalls.
    package static let longestTick = 2.0

    package init() {}

    /// To be called with each tick of the clock.
    package mutating func tick(at time: Double) {
        if let ticked, time - ticked > Self.longestTick { all.append(Trouble(.stall, begin: ticked, end: time)) }
        ticked = time
    }

    /// - Returns: its index, for `end`.
    package mutating func begin(_ trouble: Trouble) -> Int {
        all.append(trouble)
        return all.count - 1
    }

    package mutating func end(_ index: Int, at time: Double) {
        all[index].end = time
    }

    /// The last trouble that excuses something which has happened between two times.
    package func excuse(_ excuse: Excuse, _ group: Group, from: Double, to: Double) -> Trouble? {
        all.last { isOn($0, group, from: from, to: to) && $0.excuses(group).contains(excuse) }
    }

    /// How many of the seconds between two times were calm for a group: there was no trouble that excuses anything.
    package func calm(_ group: Group, from: Double, to: Double) -> Double {
        var calm = 0.0
        // Up to here the time has been counted.
        var counted = from
        let troubles = all.filter { !$0.excuses(group).isEmpty && isOn($0, group, from: from, to: to) }
        for trouble in troubles.sorted(by: { $0.begin < $1.begin }) {
            calm += max(0, trouble.begin - Self.lead - counted)
            counted = max(counted, (trouble.end ?? .infinity) + Trouble.settling(group))
        }
        return calm + max(0, to - counted)
    }

    /// What was going on at a time, for a report.
    package func names(at time: Double, _ group: Group) -> [String] {
        all.filter { isOn($0, group, from: time, to: time) && ($0.group == nil || $0.group == group) }.map(\.title)
    }

    private func isOn(_ trouble: Trouble, _ group: Group, from: Double, to: Double) -> Bool {
        trouble.begin - Self.lead <= to && from <= (trouble.end ?? .infinity) + Trouble.settling(group)
    }
}
