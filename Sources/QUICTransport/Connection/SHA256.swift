import CNGTCP2

/// SHA-256, to tell one sequence of bytes from another.
package enum SHA256 {
    /// The length of a digest in bytes.
    package static let length = Int(BRIDGE_QUIC_DIGEST_LENGTH)

    /// `nil` if GnuTLS fails, for example because the system's policy forbids the function.
    package static func digest(of bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: length)
        let isMade = bytes.withUnsafeBufferPointer { bridge_sha256($0.baseAddress, $0.count, &digest) }
        return isMade ? digest : nil
    }
}
