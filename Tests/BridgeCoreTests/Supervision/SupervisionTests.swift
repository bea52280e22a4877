import Testing

@testable import BridgeCore

@Suite("What a service manager says and is told")
struct SupervisionTests {
    @Test func aPathAndAnAbstractAddressAreUnderstood() throws {
        #expect(try NotifySocket(parsing: "/run/notify").path == [UInt8]("/run/notify".utf8))
        #expect(try NotifySocket(parsing: "@a").path == [0, UInt8(ascii: "a")])
        #expect(try NotifySocket(parsing: "/" + String(repeating: "a", count: 106)).path.count == 107)
        #expect(try NotifySocket(parsing: "@" + String(repeating: "a", count: 107)).path.count == 108)
    }

    @Test(arguments: [
        ("", "is neither"), ("run/notify", "is neither"), ("vsock:2:1", "is neither"), ("/", "names no socket"),
        ("@", "names no socket"), ("/a\0b", "zero byte"), ("/" + String(repeating: "a", count: 107), "is longer"),
        ("@" + String(repeating: "a", count: 108), "is longer"),
    ])
    func anAddressThatCannotBeOneIsNamed(value: String, words: String) {
        let error = #expect(throws: SupervisionError.self) { try NotifySocket(parsing: value) }
        #expect(error?.description.contains(words) == true)
        #expect(error?.description.hasPrefix("the environment variable NOTIFY_SOCKET=") == true)
    }

    @Test func messagesHaveOneAssignmentPerLine() {
        func text(_ notice: ServiceNotice) -> String { String(decoding: notice.datagram, as: UTF8.self) }
        #expect(text(.ready(status: "listening")) == "READY=1\nSTATUS=listening")
        #expect(text(.status("a\nWATCHDOG=trigger\rb\u{7F}")) == "STATUS=a WATCHDOG=trigger b ")
        #expect(text(.watchdog) == "WATCHDOG=1")
        #expect(text(.reloading(monotonicMicroseconds: 12)) == "RELOADING=1\nMONOTONIC_USEC=12")
        #expect(text(.stopping(status: "s")) == "STOPPING=1\nSTATUS=s")
    }

    @Test func aLongStatusIsCutBetweenCharacters() {
        let datagram = ServiceNotice.status(String(repeating: "ä", count: 2_000)).datagram
        #expect(datagram.count == "STATUS=".utf8.count + ServiceNotice.maximumStatus)
        #expect(String(validating: datagram, as: UTF8.self) != nil)
    }

    @Test func theWatchdogIsAnsweredTwiceAsOftenAsItAsks() throws {
        func interval(_ environment: [String: String]) throws -> Duration? {
            try WatchdogTime.interval(in: environment, processID: 7)
        }
        #expect(try interval([:]) == nil)
        #expect(try interval(["WATCHDOG_USEC": "30000000"]) == .seconds(15))
        #expect(try interval(["WATCHDOG_USEC": "1", "WATCHDOG_PID": "7"]) == .microseconds(1))
        #expect(try interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"]) == nil)
        for text in ["", "0", "-1", "1.5", "+1", "soon", "99999999999999999999"] {
            #expect(throws: SupervisionError.self) { try interval(["WATCHDOG_USEC": text]) }
        }
    }

    @Test func descriptorsAreThoseOfThisProcess() throws {
        func all(_ environment: [String: String]) throws -> [PassedDescriptor] {
            try PassedDescriptor.all(in: environment, processID: 7)
        }
        #expect(try all([:]).isEmpty && all(["LISTEN_FDS": "1"]).isEmpty && all(["LISTEN_PID": "7"]).isEmpty)
        #expect(try all(["LISTEN_PID": "8", "LISTEN_FDS": "1"]).isEmpty)
        #expect(try all(["LISTEN_PID": "7", "LISTEN_FDS": "0", "LISTEN_FDNAMES": ""]).isEmpty)
        #expect(
            try all(["LISTEN_PID": "7", "LISTEN_FDS": "2"]) == [
                PassedDescriptor(number: 3), PassedDescriptor(number: 4),
            ])
        #expect(
            try all(["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:"])
                == [PassedDescriptor(number: 3, name: "a"), PassedDescriptor(number: 4, name: "")])
    }

    @Test(arguments: [
        (["LISTEN_PID": "x", "LISTEN_FDS": "1"], "LISTEN_PID"),
        (["LISTEN_PID": "7", "LISTEN_FDS": "-1"], "LISTEN_FDS"),
        (["LISTEN_PID": "7", "LISTEN_FDS": "1001"], "LISTEN_FDS"),
        (["LISTEN_PID": "7", "LISTEN_FDS": ""], "LISTEN_FDS"),
        (["LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a:b"], "LISTEN_FDNAMES"),
    ])
    func whatCannotBeIsNamed(environment: [String: String], variable: String) {
        let error = #expect(throws: SupervisionError.self) {
            try PassedDescriptor.all(in: environment, processID: 7)
        }
        #expect(error?.description.contains("\(variable)=") == true)
    }

    // MARK: - The status

    private static func report(
        _ state: StatusReport.Uplink.State, command: String = "run", draining: Bool = false, problem: String? = nil,
        devices: DeviceCounts
    ) -> StatusReport {
        StatusReport(
            program: .init(command: command, version: "1", startedAt: 0, processID: 1, isDraining: draining),
            uplink: .init(
                state: state, transport: "quic", endpoint: "broker:14567", mapping: "mux", since: 0, problem: problem,
                connections: 1),
            listen: ["127.0.0.1:1883"], devices: devices, certificates: [])
    }

    @Test func theStatusIsOneLine() {
        #expect(
            Self.report(.up, devices: .init(live: 3)).line
                == "broker reached by QUIC to broker:14567, mapping mux; 3 devices live")
        #expect(
            Self.report(
                .down, draining: true, problem: "no answer", devices: .init(connecting: 1, live: 0, held: 2, ending: 4)
            ).line
                == "draining; broker not reached by QUIC to broker:14567: no answer; 0 devices live, 2 held, 1 connecting, 4 ending"
        )
        #expect(
            Self.report(.unknown, command: "serve", devices: .init()).line
                == "broker not tried yet, QUIC to broker:14567; 0 clients live")
    }
}
