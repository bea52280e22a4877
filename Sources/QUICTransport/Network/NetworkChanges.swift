import NIOCore

/// Collects the network changes that the kernel reports until it is time to act on them, because changes come in bursts,
/// and some interfaces keep changing.
package struct NetworkChanges: Sendable {
    /// The time from the first change of a burst until it is acted on.
    package static let debounce = TimeAmount.milliseconds(250)
    /// The shortest time between two rounds.
    package static let interval = TimeAmount.seconds(2)
    /// The limit on texts for the log.
    private static let textCapacity = 8
    /// The limit on interfaces whose state is remembered.
    private static let linkCapacity = 1_024
    /// Interfaces of this machine itself and of its containers and virtual machines. They do not lead to a broker on
    /// another machine.
    private static let ignoredPrefixes = ["veth", "docker", "virbr", "vnet", "cni", "cali", "flannel"]

    private var texts: [String] = []
    private var links: [UInt32: Bool] = [:]
    private var lastRound: NIODeadline?
    /// When to act on the collected changes; `nil` if there are none.
    package private(set) var due: NIODeadline?

    package init() {}

    /// Adds a change, unless it does not matter.
    /// - Parameter name: The name of the change's interface; `nil` if it has none, or the interface is gone.
    package mutating func add(_ change: NetworkChange, interface name: String?, at now: NIODeadline) {
        if let name, Self.isIgnored(name) { return }
        if case .link(let interface, let isUp) = change {
            if links.count >= Self.linkCapacity { links.removeAll() }
            // Most messages about an interface are not about whether it is up.
            guard links.updateValue(isUp, forKey: interface) != isUp else { return }
        }
        let text = Self.text(change, name)
        if texts.count < Self.textCapacity, !texts.contains(text) { texts.append(text) }
        if due == nil {
            due = max(now + Self.debounce, lastRound.map { $0 + Self.interval } ?? .distantPast)
        }
    }

    /// Removes the collected changes and returns them as texts for the log; `nil` if it is not time yet.
    package mutating func take(at now: NIODeadline) -> [String]? {
        guard let due, now >= due else { return nil }
        self.due = nil
        lastRound = now
        defer { texts = [] }
        return texts
    }

    private static func isIgnored(_ name: String) -> Bool {
        name == "lo" || ignoredPrefixes.contains { name.hasPrefix($0) } || isDockerBridge(name)
    }

    /// A router calls its bridges br-lan and br-wan.
    private static func isDockerBridge(_ name: String) -> Bool {
        name.hasPrefix("br-") && name.utf8.count == 15 && name.dropFirst(3).allSatisfy(\.isHexDigit)
    }

    private static func text(_ change: NetworkChange, _ name: String?) -> String {
        let name = name ?? change.interface.map { "interface \($0)" } ?? "?"
        return switch change {
        case .address(let address, let isThere, _): "\(name) \(isThere ? "got" : "lost") \(address)"
        case .route: "routes over \(name)"
        case .link(_, let isUp): "\(name) is \(isUp ? "up" : "down")"
        case .unknown: "too many changes to read"
        }
    }
}
