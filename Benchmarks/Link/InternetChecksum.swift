/// Checksums of IP, UDP and TCP (RFC 1071).
enum InternetChecksum {
    /// The checksum after 16 bits of what it covers have changed (RFC 1624, equation 3).
    static func update(_ checksum: UInt16, from old: UInt16, to new: UInt16) -> UInt16 {
        ~fold(UInt32(~checksum) + UInt32(~old) + UInt32(new))
    }

    /// The checksum of whole bytes. Over bytes that include a correct checksum it is 0.
    static func compute(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var sum: UInt32 = 0
        var isHigh = true
        for byte in bytes {
            sum = UInt32(fold(sum + (isHigh ? UInt32(byte) << 8 : UInt32(byte))))
            isHigh.toggle()
        }
        return ~fold(sum)
    }

    private static func fold(_ sum: UInt32) -> UInt16 {
        var sum = sum
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return UInt16(sum)
    }
}
