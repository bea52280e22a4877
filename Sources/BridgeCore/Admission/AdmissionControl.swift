import NIOCore

/// Counts the devices that are connected and decides whether one more may come.
///
/// An address may use up the accept rate, but not for all: one that has had less than a quarter of it within the last
/// second is let in on credit, up to a quarter of a second's worth for all of these together. What they owe comes in before
/// anybody else gets more.
package struct AdmissionControl: Sendable {
    package enum Decision: Sendable, Equatable {
        case admit
        /// Take the connection, and answer its CONNECT with a refusal that says why.
        case refuse(String)
        /// Close it at once: even refusals are too many just now.
        case close(String)

        /// Why a newcomer is not let in.
        package var reason: String? {
            switch self {
            case .admit: nil
            case .refuse(let why), .close(let why): why
            }
        }
    }

    /// Connections that only wait to be refused, at most: each costs a little memory for up to
    /// `limits.connect_within`.
    package static let maximumRefusals = 100

    private let limits: LimitsConfiguration
    private var devices = 0
    private var refusals = 0
    private var byAddress: [String: Int] = [:]
    private var arrivals: TokenBucket
    private var recent: RecentArrivals

    package init(limits: LimitsConfiguration, now: NIODeadline) {
        self.limits = limits
        self.arrivals = TokenBucket(perSecond: limits.acceptRate, now: now)
        self.recent = RecentArrivals(now: now)
    }

    /// Every answer but `close` has to be given back by `left(_:from:)` when the connection has ended.
    package mutating func admit(from address: String, at now: NIODeadline) -> Decision {
        let decision = decide(address, now)
        switch decision {
        case .admit:
            devices += 1
            byAddress[address, default: 0] += 1
        case .refuse:
            refusals += 1
        case .close:
            break
        }
        return decision
    }

    package mutating func left(_ decision: Decision, from address: String) {
        switch decision {
        case .admit:
            devices -= 1
            let rest = (byAddress[address] ?? 1) - 1
            byAddress[address] = rest == 0 ? nil : rest
        case .refuse:
            refusals -= 1
        case .close:
            break
        }
    }

    /// A newcomer who would not be let in anyway takes nothing of the rate.
    private mutating func decide(_ address: String, _ now: NIODeadline) -> Decision {
        if byAddress[address, default: 0] >= limits.devicesPerAddress {
            return refusal(
                "\(limits.devicesPerAddress) devices are connected from this address (limits.devices_per_address)")
        }
        if devices >= limits.devices { return refusal("\(limits.devices) devices are connected (limits.devices)") }
        recent.advance(to: now)
        let share = max(1, Double(limits.acceptRate) / 4)
        guard arrivals.take(at: now, credit: Double(recent.count(of: address)) < share ? share : 0) else {
            return refusal("more than \(limits.acceptRate) connections a second (limits.accept_rate)")
        }
        recent.add(address)
        return .admit
    }

    private func refusal(_ why: String) -> Decision {
        refusals < Self.maximumRefusals ? .refuse(why) : .close(why)
    }
}

/// How many connections came from each address within the last one to two seconds.
///
/// Two tables, of this second and of the one before it: together they have at most one entry for each connection that the
/// accept rate has let in meanwhile.
private struct RecentArrivals: Sendable {
    private var present: [String: Int] = [:]
    private var previous: [String: Int] = [:]
    private var since: NIODeadline

    init(now: NIODeadline) {
        since = now
    }

    mutating func advance(to now: NIODeadline) {
        let elapsed = now - since
        guard elapsed >= .seconds(1) else { return }
        previous = elapsed < .seconds(2) ? present : [:]
        present = [:]
        since = now
    }

    mutating func add(_ address: String) { present[address, default: 0] += 1 }

    func count(of address: String) -> Int { (present[address] ?? 0) + (previous[address] ?? 0) }
}
