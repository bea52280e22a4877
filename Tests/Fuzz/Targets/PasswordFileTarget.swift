import BridgeCore

/// A password file is refused with a line, or every user in it has a hash that can be computed.
package enum PasswordFileTarget: FuzzTarget {
    package static let name = "password-file"
    package static let summary = "a password file is read, or refused with its line"
    package static let maximumLength = 2048
    private static let salt = "$7$101$c2FsdHNhbHRzYWx0$"
    private static let hash =
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
    package static let seeds = [
        "user:\(salt)\(hash)\n", "# comment\r\n\r\na:\(salt)\(hash) \r\nb:\(salt)\(hash)",
        "\u{FEFF}a:\(salt)\(hash)\na:\(salt)\(hash)", "a:$6$x$y\n", "a:plain\n", "a:$7$9999999$\(hash)$\(hash)",
    ].map { Array($0.utf8) }
    package static let words = ["$7$", "$argon2id$", "==", "\r\n", "\u{FEFF}", "1000000"].map { Array($0.utf8) }

    package static func run(_ input: [UInt8]) throws {
        let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        do {
            let file = try PasswordFile(parsing: input)
            try require(file.count <= lines.count, "\(file.count) users in \(lines.count) lines")
            for line in lines { try check(line, file) }
        } catch let error as PasswordFileError {
            try require((1...lines.count).contains(error.line ?? 1), "\(error): there is no such line")
            try requireOneLine(error.description)
        }
    }

    private static func check(_ line: ArraySlice<UInt8>, _ file: PasswordFile) throws {
        guard let name = String(validating: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self),
            let entry = file[name]
        else { return }
        try require((1...PasswordFile.maximumIterations).contains(entry.iterations), "\(entry.iterations) iterations")
        try require((1...PasswordFile.maximumSaltLength).contains(entry.salt.count), "a salt of \(entry.salt.count)")
        try require(entry.hash.count == PasswordFile.hashLength, "a hash of \(entry.hash.count) bytes")
        try require(!file.accepts(name, password: nil) { _, _ in true }, "a login without a password is accepted")
        var calls = 0
        let isAccepted = file.accepts(name, password: []) { _, found in
            calls += 1
            return found == entry
        }
        try require(isAccepted && calls == 1, "the entry of \(name) is not the one that is compared")
    }
}
