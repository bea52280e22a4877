import BridgeCore
import Foundation
import Testing

@testable import BridgeConfig

/// What happens to devices when the network changes or goes away: `uplink.on_loss` and the keys around it.
struct SurvivalTests {
    typealias Case = ConfigurationErrorTests.Case

    private func uplink(_ keys: String, _ environment: [String: String] = [:]) throws -> UplinkConfiguration {
        try load("uplink: {host: a, ca: ca.pem\(keys)}", environment: environment).configuration.uplink
    }

    @Test func defaults() throws {
        let uplink = try uplink("")
        #expect(uplink.onLoss == .hold)
        #expect(uplink.hold == HoldConfiguration())
        #expect(uplink.zeroRTT == .off)
        #expect(uplink.warm == 2)
        #expect(uplink.pathTimeout == nil)
        #expect(uplink.ticketFile == nil)
        #expect(uplink.backoffMinimum == .seconds(1))
        #expect(uplink.backoffMaximum == .seconds(60))
    }

    /// Many YAML parsers read `off` as a boolean.
    @Test(arguments: ["off", "\"off\"", "'off'"])
    func offIsAWord(_ text: String) throws {
        #expect(try uplink(", zero_rtt: \(text)").zeroRTT == .off)
    }

    @Test(arguments: [("auto", nil), ("200ms", Duration.milliseconds(200)), ("1.5", .milliseconds(1_500))])
    func pathTimeout(_ text: String, _ timeout: Duration?) throws {
        #expect(try uplink(", path_timeout: \(text)").pathTimeout == timeout)
    }

    @Test func aHoldBufferAloneMovesTheOther() throws {
        #expect(try uplink(", hold_buffer: 128MiB").hold.totalBuffer == 134_217_728)
        #expect(try uplink(", hold_buffer_total: 64KiB").hold.buffer == 65_536)
    }

    @Test func everythingFromTheEnvironment() throws {
        let folder = try TemporaryFolder()
        let environment = [
            "BRIDGE_UPLINK_PATH_TIMEOUT": "2s", "BRIDGE_UPLINK_ON_LOSS": "hold", "BRIDGE_UPLINK_HOLD_TIME": "60",
            "BRIDGE_UPLINK_HOLD_BUFFER": "10KiB", "BRIDGE_UPLINK_HOLD_BUFFER_TOTAL": "20KiB",
            "BRIDGE_UPLINK_HOLD_QOS0": "drop-oldest", "BRIDGE_UPLINK_ZERO_RTT": "connect", "BRIDGE_UPLINK_WARM": "0",
            "BRIDGE_UPLINK_TICKET_FILE": folder.path + "/t",
        ]
        let uplink = try uplink("", environment)
        #expect(uplink.pathTimeout == .seconds(2))
        #expect(
            uplink.hold == HoldConfiguration(time: .seconds(60), buffer: 10_240, totalBuffer: 20_480, qos0: .dropOldest)
        )
        #expect(uplink.zeroRTT == .connect)
        #expect(uplink.warm == 0)
        #expect(uplink.ticketFile == folder.path + "/t")
    }

    @Test(arguments: [
        Case(
            "on_loss: keep",
            "1:40: uplink.on_loss: \"keep\" is not a value of this key; one of: hold, close"),
        Case("hold_time: 500ms", "1:42: uplink.hold_time: 500ms is out of range; write a value from 1s to 24h"),
        Case("hold_time: 25h", "1:42: uplink.hold_time: 25h is out of range; write a value from 1s to 24h"),
        Case("hold_buffer: 1KiB", "1:44: uplink.hold_buffer: 1KiB is out of range; write a value from 4KiB to 1GiB"),
        Case("hold_buffer: 2GiB", "1:44: uplink.hold_buffer: 2GiB is out of range; write a value from 4KiB to 1GiB"),
        Case(
            "hold_buffer_total: 65GiB",
            "1:50: uplink.hold_buffer_total: 65GiB is out of range; write a value from 4KiB to 64GiB"),
        Case(
            "hold_buffer: 1MiB, hold_buffer_total: 1MB",
            "1:69: uplink.hold_buffer_total: is less than uplink.hold_buffer (1MiB), which a single device may take"),
        Case(
            "hold_qos0: drop",
            "1:42: uplink.hold_qos0: \"drop\" is not a value of this key; did you mean \"drop-oldest\"? one of: keep, "
                + "drop-oldest"),
        Case("zero_rtt: false", "1:41: uplink.zero_rtt: \"false\" is not a value of this key; one of: off, connect"),
        Case(
            "warm: 101",
            "1:37: uplink.warm: 101 is out of range; a number of connections is a whole number from 0 to 100"),
        Case(
            "path_timeout: 100ms",
            "1:45: uplink.path_timeout: 100ms is out of range; write a value from 200ms to 60s, or auto".replacing(
                "60s", with: "1m")),
        Case(
            "path_timeout: never",
            "1:45: uplink.path_timeout: \"never\" is not a time; write a time such as 5s, 500ms, 2m or 1h, from 200ms to "
                + "1m, or auto; a bare number counts seconds"),
        Case("onloss: hold", "1:31: uplink.onloss: unknown key; did you mean \"on_loss\"?"),
        Case("hold_bufer: 1MiB", "1:31: uplink.hold_bufer: unknown key; did you mean \"hold_buffer\"?"),
        Case("ticket_fil: a", "1:31: uplink.ticket_fil: unknown key; did you mean \"ticket_file\"?"),
        Case("after: 5s", "1:31: uplink.after: unknown key; \"after\" belongs under \"fallback:\" under \"uplink:\""),
        Case("ticket_file: nowhere/t", "1:44: uplink.ticket_file: DIR/nowhere: no such folder; make it first"),
        Case("ticket_file: .", "1:44: uplink.ticket_file: DIR/.: is a folder, not a file"),
        Case("ticket_file: ca.pem/t", "1:44: uplink.ticket_file: DIR/ca.pem: is not a folder"),
    ])
    func errors(_ test: Case) throws {
        let lines = try BridgeConfigTests.errors("uplink: {host: a, ca: ca.pem, \(test.text)}")
        #expect(lines == test.expected.map { "bridge.yaml:" + $0 })
    }

    // MARK: - Warnings

    @Test(arguments: [
        Case("on_loss: close, hold_time: 5s", "1:58: uplink.hold_time: has no effect with uplink.on_loss close"),
        Case(
            "hold_buffer_total: 1MiB, on_loss: close, hold_buffer: 4KiB, hold_qos0: keep",
            "1:85: uplink.hold_buffer: has no effect with uplink.on_loss close",
            "1:50: uplink.hold_buffer_total: has no effect with uplink.on_loss close",
            "1:102: uplink.hold_qos0: has no effect with uplink.on_loss close"),
        Case("on_loss: close"),
        Case("mapping: mux, warm: 3"),
        Case(
            "path_timeout: 60s",
            "1:45: uplink.path_timeout: has no effect, as a connection is given up after uplink.idle_timeout (1m)"),
        Case("path_timeout: 59s"),
    ])
    func pointless(_ test: Case) throws {
        let loaded = try load("uplink: {host: a, ca: ca.pem, \(test.text)}")
        #expect(loaded.warnings == test.expected.map { "bridge.yaml:" + $0 })
    }

    @Test func earlyDataOfDataStream() throws {
        let text = dataStream().replacing("uplink: {", with: "uplink: {zero_rtt: connect, ")
        #expect(
            try load(text).warningsBesidesRoutes == [
                "bridge.yaml:1:20: uplink.zero_rtt: has no effect with mapping data-stream: what goes first there is the "
                    + "gateway's CONNECT"
            ])
    }

    @Test func warmConnectionsOfDataStream() throws {
        func warnings(_ warm: Int) throws -> [String] {
            let text = dataStream().replacing("uplink: {", with: "uplink: {warm: \(warm), ")
            return try load(text).warningsBesidesRoutes
        }
        #expect(try warnings(0).isEmpty)
        #expect(
            try warnings(1) == [
                "bridge.yaml:1:16: uplink.warm: has no effect with mapping data-stream: sessions of the gateway are made as "
                    + "devices need them"
            ])
    }

    @Test func aTicketFileThatIsThere() throws {
        let folder = try TemporaryFolder()
        let text = "uplink: {host: a, ca: ca.pem, ticket_file: t}"
        let path = try folder.write("t", Data([0, 255]), mode: 0o600)
        #expect(try ConfigurationLoader.load(.run, text: text, folder: folder.path).warnings.isEmpty)
        try folder.write("t", "", mode: 0o640)
        let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path)
        #expect(loaded.configuration.uplink.ticketFile == path)
        #expect(
            loaded.warnings == [
                "bridge.yaml:1:44: uplink.ticket_file: \(path) can be read by other users: it is not used, and is replaced "
                    + "by one that only this user can read"
            ])
    }

    /// The bridge works without the file's content, and replaces it.
    @Test func aTicketFileThatCannotBeUsedIsNoError() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("t", Data(count: 4_194_305))
        let loaded = try ConfigurationLoader.load(
            .run, text: "uplink: {host: a, ca: ca.pem, ticket_file: t}", folder: folder.path)
        #expect(
            loaded.warnings == [
                "bridge.yaml:1:44: uplink.ticket_file: \(path): is larger than 4MiB; connections begin with a full handshake "
                    + "until the bridge has replaced it"
            ])
    }
}
