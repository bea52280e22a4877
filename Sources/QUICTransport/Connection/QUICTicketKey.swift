import CNGTCP2

/// The master key of a server's session tickets. GnuTLS derives the keys in use from it and changes them as time goes
/// by; servers with the same key, also one after another, take each other's tickets.
///
/// Whoever has it can read the early data of recorded connections, and pass for a client whose ticket it can open.
package struct QUICTicketKey: Sendable {
    package static let length = Int(BRIDGE_QUIC_TICKET_KEY_LENGTH)

    package let bytes: [UInt8]

    /// Random.
    package init() {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        bridge_quic_random(&bytes, bytes.count)
        self.bytes = bytes
    }

    /// Nil unless there are exactly `length` bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }
}

extension QUICTicketKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "QUICTicketKey" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
