import NIOCore

/// Counts the connected devices, and decides whether another one is admitted.
///
/// One address may use up the accept rate, but not keep out all others: an address that has used less than a quarter of
/// the rate within the last second is admitted on credit. The credit of all such addresses together is limited to the
/// connections of a quarter of a second, and is paid back before any other address is admitted.
package struct AdmissionControl: Sendable {
    /// What to do with a new TCP connection.
    package enum Decision: Sendable, Equatable {
        case admit
        /// Accept the connection, and refuse its CONNECT with this reason.
        case refuse(String)
        /// Close the connection at once, because too many refusals are already under way.
        case close(String)

        /// Why the device is not admitted; `nil` if it is.
        package var reason: String? {
            switch self {
            case .admit: nil
            case .refuse(let why), .close(let why): why
            }
        }
    }

    /// The limit on connections that only wait to be refused. Each of them takes a little memory for up to
    /// `limits.connect_within`.
    package static let maximumRefusals = 100

    private var limits: LimitsConfiguration
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

    /// Decides by these limits from now on. Devices that are connected stay, however many there are.
    package mutating func adopt(_ new: LimitsConfiguration, now: NIODeadline) {
        if new.acceptRate != limits.acceptRate { arrivals = TokenBucket(perSecond: new.acceptRate, now: now) }
        limits = new
    }

    /// Decides about a new TCP connection. Unless the decision is `close`, the caller has to call `left(_:from:)` when
    /// the connection has ended.
    ///
    /// - Parameter files: For how many devices the process may open files.
    package mutating func admit(from address: String, at now: NIODeadline, files: Int = .max) -> Decision {
        let decision = decide(address, now, files)
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

    /// A connection for which that decision was made has ended.
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

    /// A device that another limit refuses does not count for the rate.
    private mutating func decide(_ address: String, _ now: NIODeadline, _ files: Int) -> Decision {
        if byAddress[address, default: 0] >= limits.devicesPerAddress {
            return refusal(
                "\(limits.devicesPerAddress) devices are connected from this address (limits.devices_per_address)")
        }
        if devices >= limits.devices { return refusal("\(limits.devices) devices are connected (limits.devices)") }
        if devices >= files {
            return refusal(
                "\(files) devices are connected, and the system lets this program open no more files for them: "
                    + "raise the limit (ulimit -n, LimitNOFILE=)")
        }
        recent.advance(to: now)
        let share = max(1, Double(limits.acceptRate) / 4)
        guard arrivals.take(at: now, credit: Double(recent.count(of: address)) < share ? share : 0) else {
            return refusal("more than \(limits.acceptRate) connections per second (limits.accept_rate)")
        }
        recent.add(address)
        return .admit
    }

    private func refusal(_ why: String) -> Decision {
        refusals < Self.maximumRefusals ? .refuse(why) : .close(why)
    }
}

/// Counts the connections from each address within the last one to two seconds.
///
/// There is a table for the present second and one for the previous second. Together they have at most one entry per
/// connection that was admitted in that time, so the accept rate limits their size.
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
