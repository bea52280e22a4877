import TestSupport
import Testing

@testable import BridgeCore

@Suite struct PasswordFileTests {
    private static let hash =
        "HYQv1nRCQwSAghDdq6WR6UN3orTbQg3N7rr5LYoPnu80b9SgGtiUjJuneMrVUThU9slnDxs6R+OqJ4eSxiIHvA=="
    private static let good = "$7$101$KU/nZvHiH3vQEM7Q$\(hash)"

    private func parse(_ text: String) throws -> PasswordFile { try PasswordFile(parsing: Array(text.utf8)) }

    @Test(arguments: ["", "\n", "\r\n", "a:\(good)", "a:\(good)\n", "# comment\n\n  \t\na:\(good) \r\nb:\(good)\r\n"])
    func wellFormed(_ text: String) throws {
        let file = try parse(text)
        #expect(file.count == text.split(separator: "$7$").count - 1 || text.allSatisfy(\.isWhitespace))
        if text.contains("a:") {
            let entry = try #require(file["a"])
            #expect(entry.iterations == 101 && entry.salt.count == 12 && entry.hash.count == 64)
            #expect(entry.salt.prefix(3) == [0x29, 0x4F, 0xE7])
        }
    }

    @Test func aByteOrderMarkIsNotPartOfAName() throws {
        let file = try parse("\u{FEFF}a:\(Self.good)\nb:\(Self.good)\n")
        #expect(file["a"] != nil && file["b"] != nil && file.count == 2)
        #expect(try parse("\u{FEFF}# comment\n").count == 0)
    }

    private static let bad: [(line: String, says: String)] = [
        ("nobody", "no `:`"),
        (":\(good)", "no user name"),
        ("a:secret", "mosquitto_passwd -U"),
        ("a:", "mosquitto_passwd -U"),
        ("a:x\(good)", "mosquitto_passwd -U"),
        ("a:$6$Po1aZtX+9nNiRgtW$\(hash)", "mosquitto_passwd -H sha512-pbkdf2"),
        ("a:$argon2id$v=19$m=47104,t=1,p=1$AAAA$AAAA", "$argon2id$"),
        ("a:$7$101$\(hash)", "of the form"),
        ("a:\(good)$", "of the form"),
        ("a:$secret$", "no known kind of hash"),
        ("a:$7$0$AAAA$\(hash)", "from 1 to 1000000"),
        ("a:$7$1000001$AAAA$\(hash)", "from 1 to 1000000"),
        ("a:$7$99999999999999999999999999$AAAA$\(hash)", "from 1 to 1000000"),
        ("a:$7$-1$AAAA$\(hash)", "from 1 to 1000000"),
        ("a:$7$1 $AAAA$\(hash)", "from 1 to 1000000"),
        ("a:$7$$AAAA$\(hash)", "from 1 to 1000000"),
        ("a:$7$101$$\(hash)", "0 bytes, not 1 to 64"),
        ("a:$7$101$A$\(hash)", "salt is not Base64"),
        ("a:$7$101$A===$\(hash)", "salt is not Base64"),
        ("a:$7$101$AA=A$\(hash)", "salt is not Base64"),
        ("a:$7$101$AAA_$\(hash)", "salt is not Base64"),
        ("a:$7$101$AB==$\(hash)", "salt is not Base64"),
        ("a:$7$101$AAAA$AAAA", "3 bytes, not 64"),
        ("a:$7$101$AAAA$", "0 bytes, not 64"),
        ("ok:\(good)", "twice"),
    ]

    @Test(arguments: bad.indices)
    func illFormed(_ index: Int) throws {
        let (line, says) = Self.bad[index]
        let error = try #require(throws: PasswordFileError.self) { try parse("# users\nok:\(Self.good)\n\(line)\n") }
        #expect(error.line == 3)
        #expect("\(error)".contains(says), "\(error)")
        // Nothing that may be a password or a hash may get into a log.
        #expect(!"\(error)".contains("secret") && !"\(error)".contains("HYQv"))
    }

    @Test func namesAreBytes() throws {
        // Both names look alike, but one is composed and one is decomposed.
        let file = try parse("\u{E9}:\(Self.good)\n")
        #expect(file["\u{E9}"] != nil)
        #expect(file["e\u{301}"] == nil)
        #expect(try parse("\u{E9}:\(Self.good)\ne\u{301}:\(Self.good)\n").count == 2)
    }

    @Test func aNameThatIsNotUTF8() {
        #expect(throws: PasswordFileError(line: 1, message: "the user name is not UTF-8")) {
            try PasswordFile(parsing: [0xFF, UInt8(ascii: ":")] + Array(Self.good.utf8))
        }
    }

    @Test func aFileThatIsTooLong() {
        #expect(throws: PasswordFileError.self) {
            try PasswordFile(parsing: [UInt8](repeating: 10, count: PasswordFile.maximumSize + 1))
        }
    }

    @Test func anUnknownUserCostsAsMuch() throws {
        let file = try parse("a:\(Self.good)\nb:\(Self.good.replacing("$101$", with: "$5000$"))\n")
        var seen: Set<Int> = []
        for index in 0..<64 {
            var calls: [Int] = []
            let isAccepted = file.accepts("nobody\(index)", password: [1]) { _, entry in
                calls.append(entry.iterations)
                return true
            }
            #expect(!isAccepted && calls.count == 1)
            seen.formUnion(calls)
        }
        #expect(seen == [101, 5000])
        #expect(!(try parse("").accepts("a", password: [1]) { _, entry in entry.iterations == 101 }))
    }

    @Test func noPasswordIsNeverRight() throws {
        let file = try parse("a:\(Self.good)\n")
        #expect(!file.accepts("a", password: nil) { _, _ in true })
        #expect(file.accepts("a", password: []) { _, _ in true })
        #expect(!file.accepts("a", password: [1]) { _, _ in false })
    }

    @Test func garbageIsAnErrorAndNothingWorse() {
        var generator = SplitMix64(seed: 0x5EED)
        let alphabet = Array("a:$76=\n\r #+/A0".utf8) + [0, 0xFF]
        for _ in 0..<3_000 {
            var bytes = Array("a:\(Self.good)\nb:\(Self.good)\n".utf8)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                guard let index = bytes.indices.randomElement(using: &generator) else { break }
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = alphabet.randomElement(using: &generator) ?? 0
                case 1: bytes.remove(at: index)
                default: bytes.removeSubrange(index...)
                }
            }
            if let file = try? PasswordFile(parsing: bytes) { #expect(file.count <= 3) }
        }
    }
}
