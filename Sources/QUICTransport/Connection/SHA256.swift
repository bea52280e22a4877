import CNGTCP2

/// To tell one thing from another.
package enum SHA256 {
    package static let length = Int(BRIDGE_QUIC_DIGEST_LENGTH)

    /// Nil where GnuTLS fails, as under a policy of the system.
    package static func digest(of bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: length)
        let isMade = bytes.withUnsafeBufferPointer { bridge_sha256($0.baseAddress, $0.count, &digest) }
        return isMade ? digest : nil
    }
}
