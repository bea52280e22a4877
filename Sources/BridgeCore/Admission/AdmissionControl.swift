import NIOCore

/// Counts the devices that are connected and decides whether one more may come.
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
    /// A token bucket: `limits.acceptRate` tokens a second, at most one second's worth.
    private var tokens: Double
    private var refilledAt: NIODeadline

    package init(limits: LimitsConfiguration, now: NIODeadline) {
        self.limits = limits
        self.tokens = Double(limits.acceptRate)
        self.refilledAt = now
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

    private mutating func decide(_ address: String, _ now: NIODeadline) -> Decision {
        if !takeToken(now) {
            return refusal("more than \(limits.acceptRate) connections a second (limits.accept_rate)")
        }
        if devices >= limits.devices { return refusal("\(limits.devices) devices are connected (limits.devices)") }
        if byAddress[address, default: 0] >= limits.devicesPerAddress {
            return refusal(
                "\(limits.devicesPerAddress) devices are connected from this address (limits.devices_per_address)")
        }
        return .admit
    }

    private func refusal(_ why: String) -> Decision {
        refusals < Self.maximumRefusals ? .refuse(why) : .close(why)
    }

    private mutating func takeToken(_ now: NIODeadline) -> Bool {
        let elapsed = Double((now - refilledAt).nanoseconds) / 1e9
        refilledAt = now
        tokens = min(tokens + elapsed * Double(limits.acceptRate), Double(limits.acceptRate))
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
