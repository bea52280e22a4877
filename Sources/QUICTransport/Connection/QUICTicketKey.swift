import CNGTCP2

/// The master key of a server's session tickets. GnuTLS derives the keys in use from it and replaces them from time to
/// time. Servers with the same key, including a server before and after a restart, accept each other's tickets.
///
/// Whoever has the key can read the early data of recorded connections, and impersonate clients whose tickets it opens.
package struct QUICTicketKey: Sendable {
    /// In bytes.
    package static let length = Int(BRIDGE_QUIC_TICKET_KEY_LENGTH)

    /// The key itself, for the file that keeps it.
    package let bytes: [UInt8]

    /// Makes a random key.
    package init() {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        bridge_quic_random(&bytes, bytes.count)
        self.bytes = bytes
    }

    /// `nil` unless there are exactly `length` bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }
}

extension QUICTicketKey: CustomStringConvertible, CustomReflectable {
    /// Keeps the key out of logs.
    package var description: String { "QUICTicketKey" }
    /// Keeps the key out of dumps.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
