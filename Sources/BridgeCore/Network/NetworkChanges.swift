import NIOCore

/// Collects what the kernel tells of the network until it is time to act on it: changes come in bursts, and some
/// interfaces never rest.
package struct NetworkChanges: Sendable {
    /// From the first change of a burst.
    package static let debounce = TimeAmount.milliseconds(250)
    /// Between two rounds.
    package static let interval = TimeAmount.seconds(2)
    /// Texts for the log, at most.
    private static let textCapacity = 8
    /// Interfaces whose state is remembered.
    private static let linkCapacity = 1_024
    /// Of containers and virtual machines on this machine, and of the machine itself: no way to a broker elsewhere.
    private static let ignoredPrefixes = [
        "lo", "veth", "docker", "br-", "virbr", "vnet", "cni", "cali", "flannel", "tap",
    ]

    private var texts: [String] = []
    private var links: [UInt32: Bool] = [:]
    private var lastRound: NIODeadline?
    /// When to act on what came; nil where nothing did.
    package private(set) var due: NIODeadline?

    package init() {}

    /// - Parameter name: Of its interface; nil where it has none, or that is gone.
    package mutating func add(_ change: NetworkChange, interface name: String?, at now: NIODeadline) {
        if let name, Self.isIgnored(name) { return }
        if case .link(let interface, let isUp) = change {
            if links.count >= Self.linkCapacity { links.removeAll() }
            // Most messages of an interface are about other things than this.
            guard links.updateValue(isUp, forKey: interface) != isUp else { return }
        }
        let text = Self.text(change, name)
        if texts.count < Self.textCapacity, !texts.contains(text) { texts.append(text) }
        if due == nil {
            due = max(now + Self.debounce, lastRound.map { $0 + Self.interval } ?? .distantPast)
        }
    }

    /// What came, when it is due.
    package mutating func take(at now: NIODeadline) -> [String]? {
        guard let due, now >= due else { return nil }
        self.due = nil
        lastRound = now
        defer { texts = [] }
        return texts
    }

    private static func isIgnored(_ name: String) -> Bool {
        name == "lo" || ignoredPrefixes.dropFirst().contains { name.hasPrefix($0) }
    }

    private static func text(_ change: NetworkChange, _ name: String?) -> String {
        let name = name ?? change.interface.map { "interface \($0)" } ?? "?"
        return switch change {
        case .address(let address, let isThere, _): "\(name) \(isThere ? "got" : "lost") \(address)"
        case .route: "routes over \(name)"
        case .link(_, let isUp): "\(name) is \(isUp ? "up" : "down")"
        case .unknown: "much"
        }
    }
}
