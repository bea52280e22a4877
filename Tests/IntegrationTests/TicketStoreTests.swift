import BridgeCore
import Foundation
import Logging
import Testing

@testable import Bridge
@testable import QUICTransport

@Suite struct TicketStoreTests {
    private static let trust = [UInt8](repeating: 7, count: 32)
    private static let now = Int64(Date().timeIntervalSince1970)
    private let first = UplinkEndpoint(host: "a.example.org")
    private let second = UplinkEndpoint(host: "b.example.org")

    private func ticket(_ number: UInt8, receivedAt: Int64 = now - 10, lifetime: UInt32 = 7_200) -> QUICResumption {
        QUICResumption(
            session: [number], earlyParameters: [1], serverName: "a.example.org", trust: Self.trust, alpn: "mqtt",
            allowsEarlyData: true, receivedAt: receivedAt, lifetime: lifetime)
    }

    private func uplink(_ file: String? = nil) -> UplinkConfiguration {
        var uplink = UplinkConfiguration(host: first.host, caFile: "/nonexistent/ca.pem", ticketFile: file)
        uplink.endpoints.append(second)
        return uplink
    }

    private func store(_ file: String? = nil, trust: [UInt8] = trust) -> TicketStore {
        TicketStore(uplink(file), trust: trust, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = try Folder()
        defer { folder.remove() }
        try body("\(folder.path)/tickets")
    }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    /// A path that names the wrong file by mistake, as a certificate or a key.
    @Test func anotherFileIsNotReplaced() throws {
        for mode in [0o600, 0o644] {
            try inFolder { path in
                let text = Data("-----BEGIN PRIVATE KEY-----\n".utf8)
                #expect(
                    FileManager.default.createFile(atPath: path, contents: text, attributes: [.posixPermissions: mode]))
                let error = #expect(throws: QUICError.self) { try TicketFile.check(path) }
                #expect(error.map { "\($0)" }?.contains("is not a file of session tickets") == true)
                let store = store(path)
                store.put(ticket(1), for: first)
                store.save()
                #expect(FileManager.default.contents(atPath: path) == text)
            }
        }
        // An empty file is as good as none.
        try inFolder { path in
            #expect(
                FileManager.default.createFile(atPath: path, contents: Data(), attributes: [.posixPermissions: 0o600]))
            try TicketFile.check(path)
        }
    }

    // MARK: In memory

    @Test func theNewestIsUsedFirstAndOnce() {
        let store = store()
        for number in 1...3 { store.put(ticket(UInt8(number)), for: first) }
        for number in [3, 2, 1] { #expect(store.take(for: first) == ticket(UInt8(number))) }
        #expect(store.take(for: first) == nil)
    }

    @Test func eachUpstreamHasItsOwn() {
        let store = store()
        store.put(ticket(1), for: first)
        #expect(store.take(for: second) == nil)
        #expect(store.take(for: UplinkEndpoint(host: first.host, serverName: "c.example.org")) == nil)
        #expect(store.take(for: UplinkEndpoint(host: first.host, port: 1)) == nil)
        #expect(store.take(for: first) != nil)
    }

    @Test func theNumberOfTicketsIsLimited() {
        var shelf = TicketShelf()
        for number in 0..<20 { shelf.put(ticket(UInt8(number)), for: first.ticketServer) }
        #expect(shelf.all[first.ticketServer]?.map { $0.session[0] } == Array((12..<20).reversed()))
        for port in 1...100 { shelf.put(ticket(0), for: TicketServer(host: "c", port: port, name: "c")) }
        #expect(shelf.all.count == TicketShelf.servers)
    }

    @Test func whatHasExpiredIsNotUsed() {
        let store = store()
        store.put(ticket(1), for: first)
        store.put(ticket(2, receivedAt: Self.now - 8_000), for: first)
        store.put(ticket(3, lifetime: 5), for: first)
        #expect(store.take(for: first) == ticket(1))
        #expect(store.take(for: first) == nil)
    }

    // MARK: In a file

    @Test func ticketsAreReadBackFromTheFile() throws {
        try inFolder { path in
            let before = store(path)
            for number in 1...3 { before.put(ticket(UInt8(number)), for: first) }
            before.put(ticket(4), for: second)
            before.save()
            let after = store(path)
            #expect(after.take(for: second) == ticket(4))
            for number in [3, 2, 1] { #expect(after.take(for: first) == ticket(UInt8(number))) }
            #expect(after.take(for: first) == nil)
            // The used ticket has been removed from the file too.
            after.save()
            #expect(store(path).take(for: first) == nil)
            let mode = try permissions(path)
            #expect(mode == 0o600)
            let folder = URL(filePath: path).deletingLastPathComponent().path
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(files == ["tickets"])
        }
    }

    @Test func whatIsForAnotherUpstreamIsNotUsed() throws {
        try inFolder { path in
            let before = store(path)
            before.put(ticket(1), for: first)
            before.save()
            #expect(store(path, trust: [UInt8](repeating: 8, count: 32)).take(for: first) == nil)
            var other = uplink(path)
            other.alpn = ["mqtt-mux"]
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            #expect(TicketStore(other, trust: Self.trust, logger: logger).take(for: first) == nil)
            other = uplink(path)
            other.port = 1
            #expect(TicketStore(other, trust: Self.trust, logger: logger).take(for: other.endpoints[0]) == nil)
            #expect(store(path).take(for: first) != nil)
        }
    }

    /// The file is truncated, or has one bit flipped, at every place. The undamaged tickets are used, and nothing else.
    @Test func aDamagedFileHarmsNobody() {
        let key = [UInt8](repeating: 1, count: 32)
        let entries = (1...2).map { TicketFile.Entry(key: key, ticket: ticket($0)) }
        let whole = TicketFile.encode(entries)
        #expect(TicketFile.decode(whole) == TicketFile.Contents(entries: entries))
        for length in 0..<whole.count {
            let contents = TicketFile.decode(Array(whole.prefix(length)))
            #expect(contents.entries.count < 2 && contents.entries.allSatisfy { entries.contains($0) })
        }
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 0x10
            let contents = TicketFile.decode(bytes)
            let tickets = entries.map(\.ticket)
            #expect(contents.entries.allSatisfy { tickets.contains($0.ticket) })
            // The damage may hit an upstream's key, which then matches no upstream.
            #expect(contents != TicketFile.Contents(entries: entries))
        }
    }

    @Test func aFileThatOthersCanReadIsReplacedUnused() throws {
        try inFolder { path in
            let before = store(path)
            before.put(ticket(1), for: first)
            before.save()
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            let after = store(path)
            #expect(after.take(for: first) == nil)
            after.save()
            let mode = try permissions(path)
            #expect(mode == 0o600)
        }
    }

    @Test func nothingIsWrittenThroughALink() throws {
        try inFolder { path in
            let folder = URL(filePath: path).deletingLastPathComponent().path
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "\(folder)/elsewhere")
            try Data("precious".utf8).write(to: URL(filePath: "\(folder)/elsewhere"))
            let store = store(path)
            store.put(ticket(1), for: first)
            store.save()
            #expect(store.take(for: first) == ticket(1))
            #expect(try Data(contentsOf: URL(filePath: path)) == Data("precious".utf8))
        }
    }

    @Test func aFolderInItsPlaceIsLeftAlone() throws {
        try inFolder { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let store = store(path)
            store.put(ticket(1), for: first)
            store.save()
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test func aMissingFolderCostsOnlyTheTickets() {
        let store = store("/nonexistent/tickets")
        store.put(ticket(1), for: first)
        store.save()
        #expect(store.take(for: first) == ticket(1))
    }
}
