import ArgumentParser
import BridgeAdmin
import BridgeCore
import Foundation
import Testing

@testable import mqtt_quic_bridge

struct StatusTextTests {
    private static var report: StatusReport {
        StatusReport(
            program: .init(command: "run", version: "1.2", startedAt: 1_000, processID: 7, isDraining: false),
            uplink: .init(
                state: .up, transport: "quic", endpoint: "broker:14567", mapping: "mux", since: 90_000, connections: 2),
            listen: ["0.0.0.0:1883"], devices: .init(connecting: 1, live: 2, held: 3, ending: 4),
            certificates: [
                .init(role: "CA", subject: "CN=ca", expiresAt: 100_000 + 86_400 * 40),
                .init(role: "uplink client", subject: "CN=me", expiresAt: 90_000),
            ])
    }

    private static func text(_ report: StatusReport, _ troubles: [Trouble] = []) -> String {
        StatusText(
            snapshot: StatusSnapshot(status: report, sample: nil, troubles: troubles, json: ""), now: 100_000
        ).text
    }

    /// The times come from another program, so any number may come.
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_767_225_600.9, "2026-01-01T00:00:00Z"), (-1, "1970-01-01T00:00:00Z"),
            (1e300, "9999-12-31T23:59:59Z"), (.nan, "?"), (.infinity, "?"),
        ] as [(Double, String)])
    func dates(seconds: Double, expected: String) {
        #expect(StatusText.date(seconds) == expected)
    }

    @Test func allIsWell() {
        #expect(
            Self.text(Self.report) == """
                mqtt-quic-bridge run 1.2, process 7, up for 1 d 3 h
                broker        up for 2 h 46 min, QUIC (mux) to broker:14567, 2 connections
                devices       2 live, 3 held, 1 connecting, 4 ending
                rates         not known yet
                listening     0.0.0.0:1883
                certificate   CA: CN=ca, valid until 1970-02-11, 40 d 0 h
                certificate   uplink client: CN=me, EXPIRED 1970-01-02
                troubles      none

                """)
    }

    @Test func anOutageIsSeen() {
        var report = Self.report
        report.program.isDraining = true
        report.uplink.state = .down
        report.uplink.problem = "no answer"
        let troubles = (0..<10).map {
            Trouble(
                time: 60, level: "warning", message: "held \($0)", count: 1 + $0, fields: ["client_id": "\u{1B}[2J"])
        }
        let text = Self.text(report, troubles)
        #expect(text.contains("broker        DOWN for 2 h 46 min"))
        #expect(text.contains("\n              no answer\n"))
        #expect(text.contains("draining: no new devices"))
        #expect(text.contains("troubles      1970-01-01T00:01:00Z warning held 0 client_id=\\u{1B}[2J\n"))
        #expect(text.contains("held 7 (8 times)") && !text.contains("held 8") && text.contains("and 2 more"))
    }

    @Test(
        arguments: [
            (0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3_661, "1 h 1 min"), (90_061, "1 d 1 h"), (-5, "0 s"),
            (.infinity, "?"), (1e300, "11574074 d 1 h"),
        ] as [(Double, String)])
    func durationsHaveTwoUnits(seconds: Double, text: String) {
        #expect(StatusText.duration(seconds) == text)
    }

    @Test func figuresAreShort() {
        #expect(StatusText.bytes(999) == "999 B")
        #expect(StatusText.bytes(1_540) == "1.5 kB")
        #expect(StatusText.bytes(2e10) == "20.0 GB")
        #expect(StatusText.seconds(0.0123) == "12.3 ms")
        #expect(StatusText.seconds(2.5) == "2.5 s")
    }

    @Test(arguments: [
        ("https://a", "only http is understood"), ("127.0.0.1:9883", "a URL looks like"),
        ("http://", "a URL looks like"),
        ("http://a/?x=1", "more than host, port and path"), ("http://u:p@a", "more than host, port and path"),
        ("http://a:0", "from 1 to 65535"), ("http://a:65536/", "from 1 to 65535"),
    ])
    func aWrongURLIsExplained(url: String, problem: String) {
        let error = #expect(throws: AdminClientError.self) { try AdminURL(url) }
        #expect(error?.description.contains(problem) == true)
        #expect(error?.description.contains("http://127.0.0.1:9883") == true)
    }

    @Test func addressesAreRead() throws {
        #expect(try AdminURL("http://[::1]:7/x/").description == "http://[::1]:7/x")
        #expect(try AdminURL("HTTP://localhost").port == 80)
    }

    @Test func whereToAskIsSaid() async throws {
        let status = try #require(
            try BridgeCommand.parseAsRoot(["status", "--url", "http://127.0.0.1:1"]) as? StatusCommand)
        await #expect(throws: ExitCode.failure) { try await status.run() }
        let token = try #require(
            try BridgeCommand.parseAsRoot(["status", "--url", "http://127.0.0.1:1", "--token-file", "/nowhere"])
                as? StatusCommand)
        await #expect(throws: ExitCode.failure) { try await token.run() }
    }
}
