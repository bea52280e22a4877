/// A connection ID (RFC 9000 5.1): at most 20 bytes, stored in place so that a registry of thousands of them needs no
/// heap object for each.
package struct QUICConnectionID: Hashable, Sendable, CustomStringConvertible {
    /// In bytes, in version 1 of QUIC (RFC 9000 17.2).
    package static let maximumLength = 20
    /// The length in bytes of the connection IDs that this program issues, unless they name the server (see
    /// ``ConnectionIDLayout``). A short header does not carry the length, so it has to be known.
    package static let localLength = 8

    private var low: UInt64 = 0
    private var middle: UInt64 = 0
    private var high: UInt32 = 0
    private var length: UInt8 = 0

    /// The ID of no bytes.
    init() {}

    /// One of `localLength` bytes, at that address.
    init(localAt bytes: UnsafeRawPointer) {
        low = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        length = UInt8(Self.localLength)
    }

    /// `nil` if there are more than 20 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= Self.maximumLength else { return nil }
        length = UInt8(truncatingIfNeeded: bytes.count)
        for (index, byte) in bytes.enumerated() {
            switch index {
            case 0..<8: low |= UInt64(byte) &<< UInt64(8 * index)
            case 8..<16: middle |= UInt64(byte) &<< UInt64(8 * (index - 8))
            default: high |= UInt32(byte) &<< UInt32(8 * (index - 16))
            }
        }
    }

    /// In bytes.
    package var count: Int { Int(length) }

    /// `nil` if it has no byte at that position, counted from 0.
    subscript(position: Int) -> UInt8? {
        guard (0..<count).contains(position) else { return nil }
        return switch position {
        case 0..<8: UInt8(truncatingIfNeeded: low &>> UInt64(8 * position))
        case 8..<16: UInt8(truncatingIfNeeded: middle &>> UInt64(8 * (position - 8)))
        default: UInt8(truncatingIfNeeded: high &>> UInt32(8 * (position - 16)))
        }
    }

    /// A copy, for the rare uses that need an array.
    package var bytes: [UInt8] { (0..<count).compactMap { self[$0] } }

    /// In hexadecimal digits.
    package var description: String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
