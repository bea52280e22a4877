/// Users and the hashes of their passwords, in the format of `mosquitto_passwd`: each line is
/// `user:$7$<iterations>$<salt in Base64>$<hash in Base64>`, where the hash is PBKDF2 with HMAC-SHA-512. Empty lines,
/// lines that begin with `#` and a byte order mark are ignored.
///
/// User names are compared byte by byte. The caller computes the hashes, so that this module needs no C library.
package struct PasswordFile: Sendable {
    /// The hash of one user's password.
    package struct Entry: Sendable, Equatable {
        /// 1...``maximumIterations``
        package var iterations: Int
        /// 1...``maximumSaltLength`` bytes
        package var salt: [UInt8]
        /// ``hashLength`` bytes
        package var hash: [UInt8]
    }

    /// The size of the largest file that is accepted, in bytes.
    package static let maximumSize = 32 * 1024 * 1024
    package static let maximumUsers = 100_000
    /// This many iterations take about half a second of one core. With more, a few logins could keep the gateway busy
    /// for minutes.
    package static let maximumIterations = 1_000_000
    /// The limit on a salt, in bytes.
    package static let maximumSaltLength = 64
    /// The length of a hash, in bytes.
    package static let hashLength = 64

    private let entries: [ExactText: Entry]
    /// The different numbers of iterations in the file, in ascending order.
    private let iterationCounts: [Int]

    /// Throws at the first line that is malformed, or if the file exceeds a limit.
    package init(parsing contents: [UInt8]) throws(PasswordFileError) {
        guard contents.count <= Self.maximumSize else {
            throw PasswordFileError(
                line: nil, message: "the file has \(contents.count) bytes, but only \(Self.maximumSize) are allowed")
        }
        var entries: [ExactText: Entry] = [:]
        var lineNumber = 0
        for line in contents.withoutByteOrderMark.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        {
            lineNumber += 1
            let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let first = text.first, first != UInt8(ascii: "#"), !text.allSatisfy(Self.isBlank) else { continue }
            let (name, entry) = try Self.parse(text, line: lineNumber)
            guard entries.updateValue(entry, forKey: ExactText(text: name)) == nil else {
                throw PasswordFileError(
                    line: lineNumber, message: "the user \(name.quotedForMessage()) is in the file twice")
            }
            guard entries.count <= Self.maximumUsers else {
                throw PasswordFileError(
                    line: lineNumber, message: "the file has more than \(Self.maximumUsers) users")
            }
        }
        self.entries = entries
        self.iterationCounts = Set(entries.values.map(\.iterations)).sorted()
    }

    /// The number of users.
    package var count: Int { entries.count }

    /// The password hash of a user; `nil` if the file does not have that user.
    package subscript(username: String) -> Entry? { entries[ExactText(text: username)] }

    /// Whether a user has that password. A login without a password (`nil`) is never accepted.
    /// - Parameter matches: Hashes the password with the entry's salt and iterations, and returns whether the result is
    ///   the entry's hash. It is called exactly once, with as much work for an unknown user as for a known one, so that
    ///   the time does not show which users exist.
    package func accepts(
        _ username: String, password: [UInt8]?, matches: (_ password: [UInt8], _ entry: Entry) -> Bool
    ) -> Bool {
        let entry = self[username]
        let isRight = matches(password ?? [], entry ?? decoy(for: username))
        return isRight && entry != nil && password != nil
    }

    /// The entry that an unknown user's password is compared with. If users have different numbers of iterations, it has
    /// one of these numbers, always the same for one name as long as the process runs.
    private func decoy(for username: String) -> Entry {
        var hasher = Hasher()
        hasher.combine(ExactText(text: username))
        let pick = Int(UInt(bitPattern: hasher.finalize()) % UInt(max(iterationCounts.count, 1)))
        return Entry(
            iterations: iterationCounts.indices.contains(pick) ? iterationCounts[pick] : Self.usualIterations,
            salt: [UInt8](repeating: 0, count: 12), hash: [UInt8](repeating: 0, count: Self.hashLength))
    }

    /// The default of `mosquitto_passwd`.
    private static let usualIterations = 101
}

// MARK: - One line

extension PasswordFile {
    private static func parse(
        _ line: ArraySlice<UInt8>, line number: Int
    ) throws(PasswordFileError) -> (name: String, Entry) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw PasswordFileError(line: number, message: "there is no `:` after the user name")
        }
        guard let name = String(validating: line[..<colon], as: UTF8.self) else {
            throw PasswordFileError(line: number, message: "the user name is not UTF-8")
        }
        guard !name.isEmpty else {
            throw PasswordFileError(line: number, message: "there is no user name before the `:`")
        }
        var end = line[line.index(after: colon)...]
        while let last = end.last, isBlank(last) { end = end.dropLast() }
        return (name, try entry(end, of: name, line: number))
    }

    private static func entry(
        _ text: ArraySlice<UInt8>, of name: String, line: Int
    ) throws(PasswordFileError) -> Entry {
        let parts = text.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        let user = "user \(name.quotedForMessage())"
        guard parts.count > 1, parts[0].isEmpty else {
            throw PasswordFileError(
                line: line,
                message: "\(user) has no hash; if it has a plain password, run `mosquitto_passwd -U` on the file")
        }
        guard parts[1].elementsEqual("7".utf8) else {
            // Only a known kind is named, because anything else after the `$` may be a plain password.
            let kind = otherKinds.first { parts[1].elementsEqual($0.utf8) }
            let found = kind.map { "a hash of the kind `$\($0)$`" } ?? "no known kind of hash"
            throw PasswordFileError(
                line: line,
                message: "\(user) has \(found), but only `$7$` (PBKDF2-SHA512) is supported:"
                    + " set the password again with `mosquitto_passwd -H sha512-pbkdf2`")
        }
        guard parts.count == 5 else {
            throw PasswordFileError(
                line: line, message: "\(user) does not have a hash of the form `$7$<iterations>$<salt>$<hash>`")
        }
        return Entry(
            iterations: try iterations(parts[2], of: user, line: line),
            salt: try bytes(parts[3], 1...maximumSaltLength, "salt", of: user, line: line),
            hash: try bytes(parts[4], hashLength...hashLength, "hash", of: user, line: line))
    }

    /// Kinds of hashes from other versions and options of `mosquitto_passwd`. `mosquitto_passwd -U` does not convert
    /// them.
    private static let otherKinds = ["6", "argon2id"]

    private static func iterations(
        _ text: ArraySlice<UInt8>, of user: String, line: Int
    ) throws(PasswordFileError) -> Int {
        var value = 0
        for digit in text {
            // The value is checked before every digit, so that it cannot overflow.
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit), value <= maximumIterations else {
                value = -1
                break
            }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        guard (1...maximumIterations).contains(value) else {
            throw PasswordFileError(
                line: line, message: "\(user): the number of iterations has to be from 1 to \(maximumIterations)")
        }
        return value
    }

    private static func bytes(
        _ text: ArraySlice<UInt8>, _ length: ClosedRange<Int>, _ what: String, of user: String, line: Int
    ) throws(PasswordFileError) -> [UInt8] {
        guard let bytes = Base64.decode(text) else {
            throw PasswordFileError(line: line, message: "\(user): the \(what) is not Base64")
        }
        guard length.contains(bytes.count) else {
            throw PasswordFileError(
                line: line,
                message: "\(user): the \(what) has \(bytes.count) bytes, not "
                    + (length.count == 1 ? "\(length.lowerBound)" : "\(length.lowerBound) to \(length.upperBound)"))
        }
        return bytes
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
