import NIOCore

/// Permission to make one connection. It is given back exactly once, with the outcome.
package struct DialPermit: Sendable {
    /// The way that the connection takes.
    package let way: UplinkWay
    /// What the connection is for: each purpose has a backoff of its own.
    package let purpose: UplinkPurpose
    /// When the permission was given.
    package let startedAt: NIODeadline
    /// `nil` if the connection is made ahead of time and nothing is wrong: no device waits for it, and none has to wait
    /// because of it.
    let pass: ReconnectGate.Pass?
    /// The place in the handshake window of the endpoint. `nil` over TLS, where the kernel of the broker's machine keeps
    /// a queue.
    let place: HandshakeWindow.Place?
}

/// The answer to a request for a ``DialPermit``.
package enum DialDecision: Sendable {
    case go(DialPermit)
    /// Ask again at that time or when woken; with `nil`, only when woken.
    case wait(until: NIODeadline?)
}
