import Foundation
import Testing

@testable import BridgeCore
@testable import Passwords

@Suite struct PBKDF2Tests {
    /// A widely published vector of PBKDF2-HMAC-SHA512: "password", "salt".
    private static let vectors: [(iterations: Int, hash: String)] = [
        (
            1,
            "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce"
        ),
        (
            4096,
            "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5"
        ),
    ]

    @Test(arguments: vectors.indices)
    func vector(_ index: Int) throws {
        let vector = Self.vectors[index]
        let derived = try #require(
            PBKDF2.sha512(
                password: Array("password".utf8), salt: Array("salt".utf8), iterations: vector.iterations, count: 64))
        #expect(derived.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == vector.hash)
    }

    @Test func whatIsDerivedMatchesAndNothingElse() throws {
        let salt = Array("0123456789ab".utf8)
        for password in [[], Array("secret".utf8), [UInt8](repeating: 0xFF, count: 65_535)] {
            var hash = try #require(PBKDF2.sha512(password: password, salt: salt, iterations: 3, count: 64))
            #expect(PBKDF2.sha512(of: password, salt: salt, iterations: 3, matches: hash))
            #expect(!PBKDF2.sha512(of: password + [1], salt: salt, iterations: 3, matches: hash))
            #expect(!PBKDF2.sha512(of: password, salt: salt, iterations: 4, matches: hash))
            hash[63] ^= 1
            #expect(!PBKDF2.sha512(of: password, salt: salt, iterations: 3, matches: hash))
        }
    }

    @Test(arguments: [0, -1, Int.max])
    func impossibleIterations(_ iterations: Int) {
        #expect(PBKDF2.sha512(password: [1], salt: [1], iterations: iterations, count: 64) == nil)
    }

    /// A file and hashes that the real tool made.
    @Test func whatMosquittoPasswdWritesIsUnderstood() throws {
        let tool = "/usr/bin/mosquitto_passwd"
        guard FileManager.default.isExecutableFile(atPath: tool) else {
            Issue.record("mosquitto_passwd is missing: install the package mosquitto")
            return
        }
        let path = NSTemporaryDirectory() + "passwords-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let users = ["alice": "secret", "böb": "p:a#s$s wörd", "line-3": "100%!"]
        for (index, user) in users.sorted(by: { $0.key < $1.key }).enumerated() {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: tool)
            process.arguments = (index == 0 ? ["-c"] : []) + ["-b", path, user.key, user.value]
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
        }
        let file = try PasswordFile(parsing: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        #expect(file.count == users.count)
        for (user, password) in users {
            #expect(accepts(file, user, password))
            #expect(!accepts(file, user, password + "x"))
            #expect(!accepts(file, user, ""))
            #expect(!accepts(file, user + "x", password))
        }
    }

    private func accepts(_ file: PasswordFile, _ user: String, _ password: String) -> Bool {
        file.accepts(user, password: Array(password.utf8)) { password, entry in
            PBKDF2.sha512(of: password, salt: entry.salt, iterations: entry.iterations, matches: entry.hash)
        }
    }
}
