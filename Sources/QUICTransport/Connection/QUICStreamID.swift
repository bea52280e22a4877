/// A stream's number (RFC 9000 2.1). The two low bits say who opened it and whether both sides may send on it.
package struct QUICStreamID: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package var isBidirectional: Bool { rawValue & 0x2 == 0 }
    package var isClientInitiated: Bool { rawValue & 0x1 == 0 }
    package var description: String { "\(rawValue)" }
}
