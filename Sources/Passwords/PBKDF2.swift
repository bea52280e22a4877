import CNGTCP2

/// Password hashing by PBKDF2 (RFC 8018 5.2) with HMAC-SHA-512.
package enum PBKDF2 {
    /// `count` bytes derived from `password`. About half a microsecond an iteration: nothing for an event loop where the
    /// iterations go into the thousands.
    ///
    /// - Returns: `nil` where GnuTLS refuses: `iterations` is not 1...4,294,967,295, or a policy of the system forbids it.
    package static func sha512(password: [UInt8], salt: [UInt8], iterations: Int, count: Int) -> [UInt8]? {
        guard let iterations = UInt32(exactly: iterations) else { return nil }
        var isDerived = false
        let derived = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            isDerived = bridge_pbkdf2_sha512(
                password, password.count, salt, salt.count, iterations, buffer.baseAddress, count)
            initializedCount = isDerived ? count : 0
        }
        return isDerived ? derived : nil
    }

    /// Whether `hash` was derived from `password`. How long it takes tells nothing of where a wrong hash differs.
    package static func sha512(
        of password: [UInt8], salt: [UInt8], iterations: Int, matches hash: [UInt8]
    ) -> Bool {
        guard let derived = sha512(password: password, salt: salt, iterations: iterations, count: hash.count) else {
            return false
        }
        return bridge_equal_in_constant_time(derived, hash, hash.count)
    }
}
