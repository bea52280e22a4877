import CNGTCP2

/// Password hashing by PBKDF2 (RFC 8018 5.2) with HMAC-SHA-512.
package enum PBKDF2 {
    /// Derives `count` bytes from `password`. This takes about half a microsecond per iteration, so it must not run on an
    /// event loop if there are thousands of iterations.
    ///
    /// - Returns: `nil` if `iterations` is not within 1...4,294,967,295, or if the system's policy forbids the function.
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

    /// Whether `hash` was derived from `password`. The time that the comparison takes reveals nothing about a wrong hash.
    package static func sha512(
        of password: [UInt8], salt: [UInt8], iterations: Int, matches hash: [UInt8]
    ) -> Bool {
        guard let derived = sha512(password: password, salt: salt, iterations: iterations, count: hash.count) else {
            return false
        }
        return bridge_equal_in_constant_time(derived, hash, hash.count)
    }
}
