/// Users and the hashes of their passwords, as `mosquitto_passwd` writes them: lines of
/// `user:$7$<iterations>$<salt in Base64>$<hash in Base64>`, PBKDF2 with HMAC-SHA-512. Empty lines and lines that begin
/// with `#` are passed over, and so is a byte order mark.
///
/// User names are compared byte by byte. Hashing is left to the caller, so that this stays free of C.
package struct PasswordFile: Sendable {
    /// What is kept of one password.
    package struct Entry: Sendable, Equatable {
        /// 1...``maximumIterations``
        package var iterations: Int
        /// 1...``maximumSaltLength`` bytes
        package var salt: [UInt8]
        /// ``hashLength`` bytes
        package var hash: [UInt8]
    }

    /// Bytes. A longer file is refused.
    package static let maximumSize = 32 * 1024 * 1024
    package static let maximumUsers = 100_000
    /// So many take about half a second of one core. More would let a few logins keep the gateway busy for minutes.
    package static let maximumIterations = 1_000_000
    package static let maximumSaltLength = 64
    package static let hashLength = 64

    private let entries: [ExactText: Entry]
    /// All counts of iterations there are, each once.
    private let iterationCounts: [Int]

    /// Throws at the first line that is not of that form, and where the file or one of its numbers is over its limit.
    package init(parsing contents: [UInt8]) throws(PasswordFileError) {
        guard contents.count <= Self.maximumSize else {
            throw PasswordFileError(
                line: nil, message: "the file has \(contents.count) bytes, and \(Self.maximumSize) are allowed")
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
                throw PasswordFileError(line: lineNumber, message: "more than \(Self.maximumUsers) users")
            }
        }
        self.entries = entries
        self.iterationCounts = Set(entries.values.map(\.iterations)).sorted()
    }

    package var count: Int { entries.count }

    package subscript(username: String) -> Entry? { entries[ExactText(text: username)] }

    /// Whether that user has that password; `nil`, which is none, is never right.
    ///
    /// `matches` hashes the password as the entry says, and tells whether the hash is the entry's. It is called once in
    /// any case, with as much work for an unknown user as for a known one: time does not tell who is in the file.
    package func accepts(
        _ username: String, password: [UInt8]?, matches: (_ password: [UInt8], _ entry: Entry) -> Bool
    ) -> Bool {
        let entry = self[username]
        let isRight = matches(password ?? [], entry ?? decoy(for: username))
        return isRight && entry != nil && password != nil
    }

    /// What an unknown user's password is compared with. Where users differ in their iterations, it has those of some
    /// user, the same for one name for as long as the process lives.
    private func decoy(for username: String) -> Entry {
        var hasher = Hasher()
        hasher.combine(ExactText(text: username))
        let pick = Int(UInt(bitPattern: hasher.finalize()) % UInt(max(iterationCounts.count, 1)))
        return Entry(
            iterations: iterationCounts.indices.contains(pick) ? iterationCounts[pick] : Self.usualIterations,
            salt: [UInt8](repeating: 0, count: 12), hash: [UInt8](repeating: 0, count: Self.hashLength))
    }

    /// Those of `mosquitto_passwd`.
    private static let usualIterations = 101
}

// MARK: - One line

extension PasswordFile {
    private static func parse(
        _ line: ArraySlice<UInt8>, line number: Int
    ) throws(PasswordFileError) -> (name: String, Entry) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw PasswordFileError(line: number, message: "no `:` after the user name")
        }
        guard let name = String(validating: line[..<colon], as: UTF8.self) else {
            throw PasswordFileError(line: number, message: "the user name is not UTF-8")
        }
        guard !name.isEmpty else { throw PasswordFileError(line: number, message: "no user name before the `:`") }
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
                line: line, message: "\(user) has no hash, but perhaps a plain password: run `mosquitto_passwd -U`")
        }
        guard parts[1].elementsEqual("7".utf8) else {
            // Named only where known: behind another `$` may stand a plain password.
            let kind = otherKinds.first { parts[1].elementsEqual($0.utf8) }
            let found = kind.map { "a hash of the kind `$\($0)$`" } ?? "no hash that is known"
            throw PasswordFileError(
                line: line,
                message: "\(user) has \(found), and only `$7$` (PBKDF2-SHA512) is understood:"
                    + " set the password again with `mosquitto_passwd -H sha512-pbkdf2`")
        }
        guard parts.count == 5 else {
            throw PasswordFileError(
                line: line, message: "\(user) has no hash of the form `$7$<iterations>$<salt>$<hash>`")
        }
        return Entry(
            iterations: try iterations(parts[2], of: user, line: line),
            salt: try bytes(parts[3], 1...maximumSaltLength, "salt", of: user, line: line),
            hash: try bytes(parts[4], hashLength...hashLength, "hash", of: user, line: line))
    }

    /// What other versions and options of `mosquitto_passwd` write. `mosquitto_passwd -U` does not convert them.
    private static let otherKinds = ["6", "argon2id"]

    private static func iterations(
        _ text: ArraySlice<UInt8>, of user: String, line: Int
    ) throws(PasswordFileError) -> Int {
        var value = 0
        for digit in text {
            // Compared at every digit, so that no number of them can overflow.
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit), value <= maximumIterations else {
                value = -1
                break
            }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        guard (1...maximumIterations).contains(value) else {
            throw PasswordFileError(
                line: line, message: "\(user): the iterations have to be a number from 1 to \(maximumIterations)")
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
