import NIOCore

/// Reads the parts of a datagram that are not encrypted. Never traps, whatever the bytes are.
package enum QUICPacketHeader {
    /// The destination connection ID of a datagram's first packet (RFC 8999 5); `nil` if the datagram is too short or
    /// malformed.
    ///
    /// - Parameter localLength: The length of the connection IDs that the receiver issues, which a short header does not
    ///   carry.
    package static func destinationConnectionID(
        of datagram: ByteBuffer, localLength: Int = QUICConnectionID.localLength
    ) -> QUICConnectionID? {
        datagram.withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress, let first = bytes.first else { return nil }
            guard first & 0x80 != 0 else {
                guard bytes.count > localLength else { return nil }
                guard localLength == QUICConnectionID.localLength else {
                    return QUICConnectionID(bytes.dropFirst().prefix(localLength))
                }
                return QUICConnectionID(localAt: start + 1)
            }
            let rest = bytes.dropFirst(5)
            guard let length = rest.first, rest.count > Int(length) else { return nil }
            return QUICConnectionID(rest.dropFirst().prefix(Int(length)))
        }
    }

    /// Whether the datagram may begin a connection: the client chose its destination connection ID then. The packet
    /// types are those of version 1 (RFC 9000 17.2); a long header of another version counts, too.
    static func isInitial(_ datagram: ByteBuffer) -> Bool {
        let view = datagram.readableBytesView
        guard let first = view.first, first & 0x80 != 0 else { return false }
        let isVersion1 = view.dropFirst().prefix(4).elementsEqual([0, 0, 0, 1])
        // 0-RTT packets accompany the Initial.
        return !isVersion1 || first & 0x30 <= 0x10
    }
}
