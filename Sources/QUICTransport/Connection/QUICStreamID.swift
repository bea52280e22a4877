/// A stream's number (RFC 9000 2.1). The two low bits tell which side opened it and whether both sides may send on it.
package struct QUICStreamID: Hashable, Sendable, CustomStringConvertible {
    /// The number as it is on the wire.
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// Whether both sides may send.
    package var isBidirectional: Bool { rawValue & 0x2 == 0 }
    /// Whether the client opened it.
    package var isClientInitiated: Bool { rawValue & 0x1 == 0 }
    /// The number.
    package var description: String { "\(rawValue)" }
}
