import NIOCore

/// The 16 bytes by which a stateless reset is recognised (RFC 9000 10.3).
struct StatelessResetToken: Equatable {
    private let first: UInt64
    private let second: UInt64

    /// `nil` unless there are exactly 16 bytes.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        first = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }

    /// The last bytes of a datagram that could be a stateless reset: it has a short header and at least 21 bytes. `nil`
    /// for all others.
    init?(endOf datagram: ByteBuffer) {
        let token = datagram.withUnsafeReadableBytes { bytes -> StatelessResetToken? in
            guard bytes.count >= 21, let first = bytes.first, first & 0x80 == 0 else { return nil }
            return StatelessResetToken(UnsafeRawBufferPointer(rebasing: bytes.suffix(16)))
        }
        guard let token else { return nil }
        self = token
    }

    /// Takes the same time wherever the tokens differ.
    static func == (left: StatelessResetToken, right: StatelessResetToken) -> Bool {
        (left.first ^ right.first) | (left.second ^ right.second) == 0
    }
}
