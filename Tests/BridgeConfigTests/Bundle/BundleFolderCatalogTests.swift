import BridgeCore
import Foundation
import Testing

@testable import BridgeConfig

@Suite("Folder of bundles")
struct BundleFolderCatalogTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/bundles" }
    private let catalog: BundleFolderCatalog

    init() throws {
        folder = try TemporaryFolder()
        catalog = BundleFolderCatalog(folder.path + "/bundles", hosts: ["mqtt.tesaiot.com"])
        try write("a", Bundles.configuration(username: "dev-a", password: "pa"))
        try write("b", Bundles.configuration(username: "dev-b", password: "pb"))
    }

    private func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        try folder.write("bundles/\(name)/mqtt-quic-config.json", text, mode: mode)
    }

    private func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }

    /// Looks twice, because a change counts when two looks have found the same.
    private func settled() throws -> BundleBook? {
        let first = try catalog.look()
        return try catalog.look() ?? first
    }

    private static func password(_ text: String) -> BundleBook.Entry { .password(Secret(text)) }

    @Test("The first look reads everything, and the second finds no change")
    func first() throws {
        let book = try #require(try catalog.look())
        #expect(book.count == 2 && book.usableCount == 2)
        #expect(book["dev-a"] == Self.password("pa"))
        #expect(book["dev-b"] == Self.password("pb"))
        #expect(book["a"] == nil)
        #expect(book.problems == [])
        #expect(try catalog.look() == nil)
    }

    @Test("New, changed and removed bundles are found")
    func changes() throws {
        _ = try catalog.look()
        try write("c", Bundles.configuration(username: "dev-c", password: "pc"))
        #expect(try settled()?["dev-c"] == Self.password("pc"))
        try write("a", Bundles.configuration(username: "dev-a", password: "new"))
        #expect(try settled()?["dev-a"] == Self.password("new"))
        try write("a", Bundles.configuration(username: "dev-x", password: "new"))
        let renamed = try #require(try settled())
        #expect(renamed["dev-a"] == nil && renamed["dev-x"] == Self.password("new"))
        try remove("b")
        let removed = try #require(try settled())
        #expect(removed["dev-b"] == nil && removed.count == 2)
        #expect(try settled() == nil)
    }

    @Test("A bundle that is being written is read when it rests")
    func settling() throws {
        _ = try catalog.look()
        try write("c", "{\"host\": ")
        #expect(try catalog.look() == nil)
        try write("c", Bundles.configuration(username: "dev-c", password: "pc"))
        #expect(try catalog.look() == nil)
        let book = try #require(try catalog.look())
        #expect(book["dev-c"] == Self.password("pc") && book.problems == [])
        // One that is gone before it was read was never there.
        try write("d", Bundles.configuration(username: "dev-d"))
        #expect(try catalog.look() == nil)
        try remove("d")
        #expect(try catalog.look() == nil)
    }

    @Test("A damaged bundle harms only itself, and keeps what it gave")
    func damage() throws {
        _ = try catalog.look()
        try write("a", "{\"auth\": {\"username\": \"dev-a\", \"password\": \"hunter2")
        try write("c", "hunter2")
        let book = try #require(try settled())
        #expect(book["dev-a"] == Self.password("pa"))
        #expect(book["dev-b"] == Self.password("pb"))
        #expect(book.problems.map(\.kind) == [.damaged, .damaged])
        let texts = book.problems.map(\.description)
        #expect(texts[0].hasPrefix("\(path)/a/mqtt-quic-config.json:1:44: is not JSON"), "\(texts)")
        #expect(texts[0].hasSuffix("; its previous credentials stay in use"))
        #expect(!texts[1].contains("previous") && !texts.joined().contains("hunter2"))
        try write("a", Bundles.configuration(username: "dev-a", password: "mended"))
        let mended = try #require(try settled())
        #expect(mended["dev-a"] == Self.password("mended") && mended.problems.count == 1)
    }

    @Test("For other brokers everything is read again, and a damaged bundle keeps what it gave")
    func otherBrokers() throws {
        _ = try catalog.look()
        try write("a", "{\"auth\": ")
        try write("c", Bundles.configuration(host: "other.example", username: "dev-c", password: "pc"))
        _ = try settled()
        let book = try #require(try catalog.following(hosts: ["other.example"]).look())
        #expect(book["dev-a"] == Self.password("pa"))
        #expect(book["dev-b"] == Self.password("pb") && book["dev-c"] == Self.password("pc"))
        #expect(book.problems.map(\.kind) == [.damaged, .otherBroker])
        #expect(book.problems.last?.description.contains("/b/") == true)
    }

    /// Sound ones are examined once for all bundles that have the same.
    @Test("Damaged CA certificates are found in each bundle that has them")
    func damagedAuthorities() throws {
        try folder.write("bundles/a/ca-chain.pem", TemporaryFolder.certificate)
        try folder.write("bundles/b/ca-chain.pem", "no certificate")
        try write("c", Bundles.configuration(username: "dev-c", password: "pc"))
        try folder.write("bundles/c/ca-chain.pem", "no certificate")
        try write("d", Bundles.configuration(username: "dev-d", password: "pd"))
        try folder.write("bundles/d/ca-chain.pem", TemporaryFolder.certificate)
        let book = try #require(try catalog.look())
        #expect(book["dev-a"] != nil && book["dev-b"] == nil && book["dev-c"] == nil && book["dev-d"] != nil)
        #expect(book.problems.map(\.kind) == [.damaged, .damaged])
    }

    @Test("A bundle whose files are gone gives no identity")
    func emptied() throws {
        _ = try catalog.look()
        try remove("a/mqtt-quic-config.json")
        let book = try #require(try settled())
        #expect(book["dev-a"] == nil && book.count == 1)
        #expect(book.problems.map(\.kind) == [.leftOut])
    }

    @Test("A placeholder, a missing name, another broker, open files and a second bundle are found")
    func problems() throws {
        try write("a", Bundles.configuration(username: "dev-a", password: "<password>"))
        try write("b", Bundles.configuration(username: "<device id>", password: "pb"))
        try write("c", Bundles.configuration(host: "other.example", username: "dev-c", password: "pc"))
        try write("d", Bundles.configuration(username: "dev-d", password: "pd"), mode: 0o644)
        try write("e", Bundles.configuration(username: "dev-d", password: "pe"))
        let book = try #require(try catalog.look())
        #expect(book["dev-a"] == .unusable("still has a placeholder in angle brackets for a password"))
        #expect(book["dev-d"] == Self.password("pd"))
        #expect(book.count == 3 && book.usableCount == 2)
        #expect(
            book.problems.map(\.kind) == [
                .withoutPassword, .withoutPassword, .otherBroker, .exposed, .duplicate,
            ])
        let text = book.problems.map(\.description).joined(separator: "\n")
        #expect(text.contains("\(path)/c/mqtt-quic-config.json:3:11: is for the broker other.example"))
        #expect(text.contains("\(path)/e: is not used, because another bundle is for the same device \"dev-d\""))
    }

    @Test("What is no folder of a bundle is left out, and said if it looks like one")
    func others() throws {
        try folder.write("bundles/README.md", "text")
        try folder.write("bundles/ca-chain.pem", TemporaryFolder.certificate)
        try folder.write("bundles/.hidden/mqtt-quic-config.json", Bundles.configuration(username: "dev-h"))
        try folder.write("bundles/c.zip", "PK")
        try folder.write("bundles/mqtt-quic-config.json", Bundles.configuration(username: "dev-r"))
        let book = try #require(try catalog.look())
        #expect(book.count == 2 && book["dev-h"] == nil && book["dev-r"] == nil)
        #expect(book.problems.map(\.kind) == [.leftOut, .leftOut])
        #expect(book.problems[0].description.contains("/c.zip: is not read; unpack it"))
    }

    @Test("A link may lead to a place in the folder, but not out of it")
    func links() throws {
        try folder.write("bundles/..data/c/mqtt-quic-config.json", Bundles.configuration(username: "dev-c"))
        try folder.write("elsewhere/mqtt-quic-config.json", Bundles.configuration(username: "dev-e"))
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: path + "/c", withDestinationPath: "..data/c")
        try manager.createSymbolicLink(atPath: path + "/e", withDestinationPath: "../elsewhere")
        let book = try #require(try catalog.look())
        #expect(book["dev-c"] != nil && book["dev-e"] == nil)
        #expect(book.problems.map(\.kind) == [.damaged])
        #expect(book.problems.first?.description.contains("is a symbolic link out of") == true)
    }

    @Test("A folder that can't be listed is an error, and comes back as it was")
    func unreadable() throws {
        _ = try catalog.look()
        try FileManager.default.moveItem(atPath: path, toPath: path + "-away")
        #expect(throws: UnreadableBundles.self) { try catalog.look() }
        try FileManager.default.moveItem(atPath: path + "-away", toPath: path)
        // Moving a folder changes nothing about the files in it.
        #expect(try settled() == nil)
    }

    @Test("One file of CA certificates stands for all with the same contents")
    func authorities() throws {
        for name in ["a", "b"] { try folder.write("bundles/\(name)/ca-chain.pem", Bundles.authorities) }
        try write("c", Bundles.configuration(username: "dev-c"))
        try folder.write("bundles/c/ca-chain.pem", TemporaryFolder.certificate)
        _ = try catalog.look()
        #expect(catalog.authorities == ["\(path)/a/ca-chain.pem", "\(path)/c/ca-chain.pem"])
    }
}
