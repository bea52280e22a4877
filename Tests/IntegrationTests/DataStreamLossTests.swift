import Foundation
import Testing

/// What happens to devices that are not held when the gateway's session cannot begin, or ends.
@Suite(.mapping(.dataStream), .timeLimit(.minutes(20)))
struct DataStreamLossTests {
    private static func options(_ uplink: [String] = []) -> Scenario.Options {
        var options = Scenario.Options()
        options.uplink = uplink + Uplink.close
        options.configuration = "threads: 1"
        return options
    }

    /// It is not the devices' fault, so they are not told that it is. The log tells the operator what is wrong.
    @Test(arguments: [
        ("3.1.1", 5, "not authorized (uplink.identity)"), ("5.0", 0x87, "not authorized (uplink.identity)"),
        ("5.0", 0x89, "server busy"),
    ])
    func aRefusedGatewayIsReported(version: String, code: Int, words: String) async throws {
        let options = Self.options(["backoff_minimum: 50ms", "backoff_maximum: 200ms", "connect_timeout: 5s"])
        try await Scenario.run(options) { scenario in
            try await scenario.front.refuseConnects(with: code)
            for name in ["first", "second"] {
                let refused = try await scenario.client(name).tryConnect(
                    port: scenario.bridge.port, ["version": .string(version)])
                #expect(refused.event == "connected" && refused.code == 0x88)
            }
            let line = try await scenario.bridgeLogs("gateway session ended", "the broker refused the gateway", words)
            // If the broker may recover by itself, that is only a warning.
            #expect(line.localizedCaseInsensitiveContains(code == 0x89 ? "warning" : "error"))
            #expect(line.contains("client_id=gateway-1"))

            try await scenario.front.refuseConnects(with: 0)
            try await eventuallyConnects(scenario, "later")
        }
    }

    /// 3.1.1 has no packet to say so: the control stream just ends.
    @Test(arguments: ["3.1.1", "5.0"])
    func aGatewayThatIsTakenOverLeavesItsClientIDAlone(version: String) async throws {
        let options = Self.options(["backoff_minimum: 50ms", "backoff_maximum: 200ms", "connect_timeout: 30s"])
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("will/#")
            let will: JSONValue = ["topic": "will/1", "payload": ["text": "gone"], "qos": 1]
            let first = try await scenario.device("first", ["version": .string(version), "will": will])
            let second = try await scenario.device("second", ["version": .string(version)])
            guard let connection = try await scenario.front.connection(of: "gateway-1") else {
                throw HarnessError("the front has no connection with the client identifier gateway-1")
            }
            let start = ContinuousClock.now
            try await scenario.front.takeOver(connection)
            for device in [first, second] {
                let end = try await device.disconnected()
                if version == "5.0" { #expect(end.fromServer == true && end.code == 0x8B) }
            }
            let words = version == "5.0" ? "took over" : "closed the gateway's session"
            let line = try await scenario.bridgeLogs("gateway session ended", words, "devices=2")
            #expect(line.localizedCaseInsensitiveContains(version == "5.0" ? "error" : "warning"))

            // A device that comes back at once waits for the gateway's return, which takes at least 5 s.
            _ = try await scenario.device("third", ["version": .string(version)])
            #expect(ContinuousClock.now - start >= .seconds(4.9))
            // The will of a device whose stream was gone waited too.
            #expect(try await observer.message().text == "gone")
        }
    }

    /// The far end answers no more, as if the network were gone.
    @Test(arguments: ["3.1.1", "5.0"])
    func aLostConnectionEndsItsDevices(version: String) async throws {
        try await Scenario.run(Self.options(["idle_timeout: 4s", "keep_alive: 1s"])) { scenario in
            let observer = try await scenario.observer("will/#")
            var devices: [PahoClient] = []
            for name in ["a", "b", "c"] {
                let will: JSONValue = ["topic": "will/\(name)", "payload": ["text": "gone"], "qos": 1]
                let device = try await scenario.device(name, ["version": .string(version), "will": will])
                devices.append(device)
            }
            try await scenario.farEnd.mute(true)
            for device in devices {
                let end = try await device.disconnected()
                if version == "5.0" { #expect(end.fromServer == true && end.code == 0x8B) }
            }
            try await scenario.bridgeLogs("gateway session ended", "devices=3")
            try await scenario.farEnd.mute(false)
            try await eventuallyConnects(scenario, "later")
            var topics: Set<String> = []
            for _ in devices { topics.insert(try await observer.message().topic ?? "") }
            #expect(topics == ["will/a", "will/b", "will/c"])
        }
    }

    @Test func theBrokersRestartIsSurvived() async throws {
        try await Scenario.run(Self.options(["backoff_minimum: 50ms", "backoff_maximum: 200ms"])) { scenario in
            let devices = [try await scenario.device("a"), try await scenario.device("b", ["version": "5.0"])]
            try scenario.front.closeAll(code: 0x38B)
            for device in devices { _ = try await device.disconnected() }
            try await eventuallyConnects(scenario, "later")
        }
    }

    /// The broker sends STOP_SENDING and nothing else: whatever the device sends on that stream is lost.
    @Test(arguments: ["3.1.1", "5.0"])
    func aStreamThatTheBrokerNoLongerReadsIsReplaced(version: String) async throws {
        var options = Scenario.Options.onOneLoop(uplink: Uplink.hold())
        options.broker.persistence = true
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await scenario.device("device", ["version": .string(version)])
            // The front does not know a stream that has carried nothing.
            try await device.publish("up", "0", qos: 1)
            #expect(try await observer.message().text == "0")
            for round in 1...3 {
                let opened = try await scenario.front.reported().filter {
                    $0.event == "stream_opened" && $0.stream != 0
                }
                #expect(opened.count == round)
                let last = try #require(opened.last)
                try await scenario.front.stopSending(
                    stream: #require(last.stream), of: #require(last.connection))
                try await device.publish("up", .text("\(round)"), qos: 1)
                #expect(try await observer.message().text == "\(round)")
            }
            #expect(await !device.wasDisconnected)
        }
    }

    /// The control stream is the session, so the broker ends all streams with it.
    @Test func aResetControlStreamEndsTheSession() async throws {
        try await Scenario.run(Self.options(["backoff_minimum: 50ms", "backoff_maximum: 200ms"])) { scenario in
            let device = try await scenario.device("device", ["version": "5.0"])
            guard let connection = try await scenario.front.connection(of: "gateway-1") else {
                throw HarnessError("the front has no connection with the client identifier gateway-1")
            }
            try await scenario.front.reset(stream: 0, of: connection)
            let end = try await device.disconnected()
            #expect(end.fromServer == true && end.code == 0x8B)
            try await scenario.bridgeLogs("gateway session ended", "devices=1")
            try await eventuallyConnects(scenario, "later")
        }
    }

    /// The devices end first, then the gateway's sessions, then the connections.
    @Test func shutdownEndsAllInOrder() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("#")
            let will: JSONValue = ["topic": "will", "payload": ["text": "gone"], "qos": 1]
            let delayed: JSONValue = [
                "topic": "delayed", "payload": ["text": "gone"], "qos": 1, "properties": ["WillDelayInterval": 200],
            ]
            let old = try await scenario.device("old", ["will": will])
            let new = try await scenario.device("new", ["version": "5.0", "will": will])
            let gone = try await scenario.device(
                "gone", ["version": "5.0", "will": delayed, "properties": ["SessionExpiryInterval": 300]])
            try await gone.vanish()
            try await scenario.gone("gone")
            scenario.bridge.process.signal(SIGTERM)
            #expect(try await scenario.bridge.process.end() == .exit(0))
            #expect(try await new.disconnected().code == 0x8B)
            _ = try await old.disconnected()
            try await scenario.broker.logs("Received DISCONNECT from gateway-1")
            try await scenario.broker.logs("Received DISCONNECT from gateway-2")
            // A delayed will is published now, because there is no later time. The wills of devices that got a
            // DISCONNECT are not published.
            #expect(try await observer.message().topic == "delayed")
            try await observer.publish("marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "marker")
            let streams = try await scenario.front.reported().filter { $0.event == "stream_closed" }
            #expect(!streams.isEmpty && streams.allSatisfy { $0.end == "fin" })
        }
    }
}
