import Foundation
import Testing

@testable import Bridge
@testable import QUICTransport

@Suite struct TicketKeyFileTests {
    private static let day = 86_400

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = try Folder()
        defer { folder.remove() }
        try body("\(folder.path)/ticket.key")
        // No temporary file is left.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["ticket.key"])
    }

    @Test func aKeyIsCreatedOnceAndForItsOwnerOnly() throws {
        try inFolder { path in
            let first = try TicketKeyFile(path: path).load()
            #expect(try permissions(path) == 0o600)
            let second = try TicketKeyFile(path: path).load()
            #expect(first.key.bytes == second.key.bytes && first.warning == nil)
            #expect(try Data(contentsOf: URL(filePath: path)) == Data(first.key.bytes))
        }
    }

    @Test func anOldKeyIsReplaced() throws {
        try inFolder { path in
            let now = Int(Date().timeIntervalSince1970)
            let first = try TicketKeyFile(path: path).load(now: now).key
            let stillGood = try TicketKeyFile(path: path).load(now: now + 29 * Self.day).key
            #expect(stillGood.bytes == first.bytes)
            let replaced = try TicketKeyFile(path: path).load(now: now + 31 * Self.day).key
            #expect(replaced.bytes != first.bytes)
            #expect(try permissions(path) == 0o600)
            #expect(try TicketKeyFile(path: path).load(now: now).key.bytes == replaced.bytes)
        }
    }

    @Test(arguments: [0, 63, 65, 4_096])
    func aFileThatIsNotAKeyIsAnError(length: Int) throws {
        try inFolder { path in
            try Data(repeating: 7, count: length).write(to: URL(filePath: path))
            let error = #expect(throws: TicketKeyError.self) { try TicketKeyFile(path: path).load() }
            #expect(error?.description.contains(path) == true && error?.description.contains("64 bytes") == true)
        }
    }

    @Test func aMissingFolderIsAnError() {
        let error = #expect(throws: TicketKeyError.self) { try TicketKeyFile(path: "/nonexistent/ticket.key").load() }
        #expect(error?.description.contains("/nonexistent/ticket.key cannot be created") == true)
    }

    @Test func aSecretFollowsFromKeyAndLabel() throws {
        let key = QUICTicketKey()
        #expect(key.secret(for: "a") == key.secret(for: "a") && key.secret(for: "a").count == 32)
        #expect(key.secret(for: "a") != key.secret(for: "b"))
        // Tickets of clients that were asked for another certificate, or for none, are void.
        let keys = [nil, [1], [2]].map { key.bound(to: $0).bytes }
        #expect(Set(keys).count == 3 && keys[0] == key.bytes && keys[1] == key.bound(to: [1]).bytes)
        #expect(key.secret(for: "a") != QUICTicketKey().secret(for: "a"))
        // This is the HMAC-SHA256 that another program computes: printf test | openssl dgst -sha256 -mac HMAC -macopt
        // hexkey:$(printf '00%.0s' $(seq 64))
        let zero = try #require(QUICTicketKey(bytes: [UInt8](repeating: 0, count: 64)))
        let digits = zero.secret(for: "test").map { String(format: "%02x", $0) }.joined()
        #expect(digits == "43b0cef99265f9e34c10ea9d3501926d27b39f57c6d674561d8ba236e7a819fb")
    }
}
