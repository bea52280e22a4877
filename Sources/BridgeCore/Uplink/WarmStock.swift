import NIOCore

/// When connections are made ahead of time, and when those in stock are replaced. Nothing here makes a connection.
///
/// One is made at a time. A stock that cannot be kept is tried for ever more seldom, with the ``ReconnectGate``'s pauses:
/// after a failed handshake, and after a connection that the server did not let stand for ``proof``.
package struct WarmStock<ID: Hashable & Sendable>: Sendable {
    /// What is to be done now.
    package enum Step: Sendable, Equatable {
        /// Make a connection, report `ready` or `failed`, and ask again.
        case dial
        /// Close this one, which is forgotten already, and ask again.
        case drop(ID)
        /// Ask again then, or when something has happened; nil: when something has happened.
        case wait(until: NIODeadline?)
    }

    /// A server that ends connections without a device sooner than this does not want them.
    package static var proof: TimeAmount { .seconds(30) }

    private struct Item: Sendable {
        let id: ID
        let readyAt: NIODeadline
        let renewAt: NIODeadline
        var isProven = false
    }

    /// The oldest first.
    private var items: [Item] = []
    private var gate: ReconnectGate
    package private(set) var isDialing = false
    /// Of the one under way.
    private var pass: ReconnectGate.Pass?
    /// The last that was lost had not stood for long.
    private var isUnwanted = false

    package init(backoffMinimum: Duration, backoffMaximum: Duration) {
        gate = ReconnectGate(minimum: backoffMinimum, maximum: backoffMaximum)
    }

    /// Ready ones, the oldest first.
    package var ids: [ID] { items.map(\.id) }

    /// - Parameter wanted: How many there should be.
    package mutating func next(wanted: Int, at now: NIODeadline) -> Step {
        for index in items.indices where !items[index].isProven && items[index].readyAt + Self.proof <= now {
            items[index].isProven = true
            proved()
        }
        // An old one goes when its replacement has come.
        if items.count > wanted { return .drop(items.removeFirst().id) }
        let fresh = items.count { $0.renewAt > now }
        guard fresh < wanted else { return .wait(until: nextChange(at: now)) }
        guard !isDialing else { return .wait(until: nil) }
        switch gate.request(at: now) {
        case .go(let pass):
            self.pass = pass
            isDialing = true
            return .dial
        case .wait(let until):
            return .wait(until: until)
        case .waitForProbe:
            return .wait(until: nextChange(at: now))
        }
    }

    /// - Parameter renewAfter: For how long it is good.
    package mutating func ready(_ id: ID, renewAfter: TimeAmount, at now: NIODeadline) {
        isDialing = false
        items.append(Item(id: id, readyAt: now, renewAt: now + renewAfter))
    }

    /// A connection came out as something else than one for the stock.
    package mutating func turnedAway() {
        isDialing = false
        gate.succeeded()
    }

    /// A handshake failed. `jitter` is a random number from 0 to 1.
    package mutating func failed(at now: NIODeadline, jitter: Double) {
        isDialing = false
        gate.failed(pass, at: now, jitter: jitter)
    }

    /// The one under way is closed, and nobody knows what would have become of it.
    package mutating func abandoned(at now: NIODeadline) {
        isDialing = false
        if let pass { gate.abandoned(pass, at: now) }
    }

    /// A device has it now.
    package mutating func took(_ id: ID) {
        guard remove(id) != nil else { return }
        proved()
    }

    /// It is of no use any more.
    package mutating func forget(_ id: ID) {
        _ = remove(id)
    }

    /// It broke, or the server closed it. False where it is none of these.
    package mutating func lost(_ id: ID, at now: NIODeadline, jitter: Double) -> Bool {
        guard let item = remove(id) else { return false }
        if !item.isProven, item.readyAt + Self.proof > now {
            isUnwanted = true
            gate.failed(nil, at: now, jitter: jitter)
        }
        return true
    }

    /// Others have reached the server, which says nothing of one that closes idle connections.
    package mutating func serverAnswered() {
        if !isUnwanted { gate.succeeded() }
    }

    private mutating func proved() {
        isUnwanted = false
        gate.succeeded()
    }

    private mutating func remove(_ id: ID) -> Item? {
        items.firstIndex { $0.id == id }.map { items.remove(at: $0) }
    }

    private func nextChange(at now: NIODeadline) -> NIODeadline? {
        items.flatMap { [$0.renewAt, $0.readyAt + Self.proof] }.filter { $0 > now }.min()
    }
}
