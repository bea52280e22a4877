import Foundation
import Testing

/// A new configuration while devices run.
@Suite(.timeLimit(.minutes(20)))
struct ReloadTests {
    private static func options(_ configuration: String = "") -> Scenario.Options {
        var options = Scenario.Options()
        options.configuration = configuration
        return options
    }

    /// Publishes these numbers with QoS 1, one after the other.
    private static func publish(_ numbers: Range<Int>, _ device: PahoClient, _ topic: String) async throws {
        for number in numbers { try await device.publish(topic, .text("\(number)"), qos: 1) }
    }

    private static func expect(_ numbers: Range<Int>, at observer: PahoClient) async throws {
        for number in numbers { #expect(try await observer.message().text == "\(number)") }
    }

    /// The routes of `d1` come to the same as before, those of the others do not.
    @Test func onlyDevicesWhoseTopicsChangeAreDisconnected() async throws {
        let options = Self.options(#"routes: [{local: "t/#", remote: "device/${clientid}/#"}]"#)
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("device/d1/#")
            let stays = try await scenario.device("d1", ["version": "5.0"])
            let old = try await scenario.device("d2", ["version": "3.1.1"])
            let leaves = try await scenario.device(
                "d3", ["version": "5.0", "will": ["topic": "t/will", "payload": ["text": "gone"]]])
            let stream = Task { try await Self.publish(0..<60, stays, "t/x") }
            try await Self.expect(0..<10, at: observer)
            let line = try await scenario.bridge.reload { $0.replacing("device/${clientid}/#", with: "device/d1/#") }
            #expect(line.contains("the configuration was reloaded") && line.contains("applied=1"))
            #expect(line.contains("devices_ended=2") && line.contains("needs_restart=0"), "\(line)")
            // Administrative action.
            let end = try await leaves.disconnected()
            #expect(end.code == 0x98 && end.fromServer == true)
            _ = try await old.disconnected()
            try await stream.value
            try await Self.expect(10..<60, at: observer)
            #expect(await scenario.bridgeSaid("session ended") == 2)
            // The others come back under the new rules. No will was published.
            try await leaves.connect(port: scenario.bridge.port, ["version": "5.0"])
            try await leaves.publish("t/x", "new", qos: 1)
            let message = try await observer.message()
            #expect(message.topic == "device/d1/x" && message.text == "new")
        }
    }

    @Test(.mapping(.connection, .mux)) func onlyDevicesWithAnotherIdentityAreDisconnected() async throws {
        let options = Self.options(
            """
            auth:
              mode: inject
              username: first
              overrides: [{match: {client_id: d2}, username: second}]
            """)
        try await Scenario.run(options) { scenario in
            let stays = try await scenario.device("d1", ["version": "5.0"])
            let leaves = try await scenario.device("d2", ["version": "5.0"])
            let line = try await scenario.bridge.reload { $0.replacing("username: second", with: "username: third") }
            #expect(line.contains("devices_ended=1"))
            #expect(try await leaves.disconnected().code == 0x98)
            try await stays.publish("up", "still here", qos: 1)
            try await leaves.connect(port: scenario.bridge.port)
            _ = try await scenario.broker.process.errors.first("the new user name") { $0.contains("u'third'") }
        }
    }

    @Test func newDevicesGoToTheNewBroker() async throws {
        try await Scenario.run { scenario in
            let second = try await Broker.start(in: scenario.folder)
            await scenario.own(second.process)
            let far = try await FarEnd.start(in: scenario.folder, broker: second.port, scenario.options.front)
            await scenario.own(far.process)
            let here = try await scenario.observer("up")
            let there = await scenario.client("there")
            try await there.connect(port: second.port)
            try await there.subscribe("up")
            let old = try await scenario.device("old", ["version": "5.0"])
            let stream = Task { try await Self.publish(0..<40, old, "up") }
            try await Self.expect(0..<5, at: here)
            let line = try await scenario.bridge.reload {
                $0.replacing("port: \(scenario.farEnd.port)", with: "port: \(far.port)")
            }
            #expect(line.contains("devices_ended=0"))
            let new = try await scenario.device("new", ["version": "5.0"])
            try await new.publish("up", "new", qos: 1)
            #expect(try await there.message().text == "new")
            try await stream.value
            try await Self.expect(5..<40, at: here)
            // Once it has gone, it comes to the new one, too.
            try await old.disconnect()
            try await old.connect(port: scenario.bridge.port)
            try await old.publish("up", "moved", qos: 1)
            #expect(try await there.message().text == "moved")
            #expect(await scenario.bridgeSaid("session held") == 0)
        }
    }

    /// When the old broker goes, the devices that it held go on at the new one.
    @Test func aDeviceThatLosesItsOldBrokerGoesOnAtTheNewOne() async throws {
        var options = Scenario.Options()
        options.uplink = Uplink.brisk + Uplink.hold()
        try await Scenario.run(options) { scenario in
            let far = try await FarEnd.start(in: scenario.folder, broker: scenario.broker.port, scenario.options.front)
            await scenario.own(far.process)
            let observer = try await scenario.observer("up")
            // The broker's patience with the device decides how long its old connection is given.
            let device = try await scenario.device("device", ["version": "5.0", "keep_alive": 3])
            try await device.publish("up", "0", qos: 1)
            try await scenario.bridge.reload {
                $0.replacing("port: \(scenario.farEnd.port)", with: "port: \(far.port)")
            }
            scenario.farEnd.process.signal(SIGKILL)
            try await Self.publish(1..<5, device, "up")
            try await Self.expect(0..<5, at: observer)
            #expect(await scenario.bridgeSaid("info session ended") == 0)
        }
    }

    /// The path stays the same, and the file has other contents.
    @Test func aReplacedCAIsUsedForNewConnections() async throws {
        let certificates = try await Certificates.make()
        try await Scenario.run { scenario in
            let ca = "\(scenario.folder.path)/ca.pem"
            try FileManager.default.copyItem(atPath: certificates.certificate("other-ca"), toPath: ca)
            let device = try await scenario.device("device")
            try await scenario.bridge.reload { $0.replacing(certificates.certificate("ca"), with: ca) }
            let refused = try await scenario.client("refused").tryConnect(port: scenario.bridge.port)
            #expect(refused.event != "connected" || refused.code != 0)
            let mended = try String(contentsOfFile: certificates.certificate("ca"), encoding: .utf8)
            try scenario.folder.write("ca.pem", mended)
            let count = await scenario.bridge.process.errors.count
            _ = try await scenario.bridge.reloadAsItIs()
            _ = try await scenario.bridge.says(key: "uplink.ca", "contents of the file have changed", from: count)
            let accepted = try await scenario.device("accepted")
            try await accepted.publish("up", "new", qos: 1)
            try await device.publish("up", "old", qos: 1)
        }
    }

    @Test func aClientCertificateIsTakenIntoUse() async throws {
        let certificates = try await Certificates.make()
        try await Scenario.run { scenario in
            let device = try await scenario.device("device")
            var front = scenario.options.front
            front.clientCA = "ca"
            let far = try await FarEnd.start(in: scenario.folder, broker: scenario.broker.port, front)
            await scenario.own(far.process)
            try await scenario.bridge.reload {
                $0.replacing(
                    "port: \(scenario.farEnd.port)",
                    with: """
                        port: \(far.port)
                          client_certificate: \(certificates.certificate("client"))
                          client_key: \(certificates.key("client"))
                        """)
            }
            let new = try await scenario.device("new")
            try await new.publish("up", "new", qos: 1)
            try await device.publish("up", "old", qos: 1)
        }
    }

    @Test func aLowerLimitDisconnectsNobody() async throws {
        try await Scenario.run(Self.options("limits: {devices: 10, devices_per_address: 5}")) { scenario in
            let devices = [try await scenario.device("d1"), try await scenario.device("d2")]
            try await scenario.bridge.reload { $0.replacing("devices: 10", with: "devices: 1") }
            for device in devices { try await device.publish("up", "still here", qos: 1) }
            let third = try await scenario.client("d3").tryConnect(port: scenario.bridge.port)
            #expect(third.code != 0)
            try await scenario.bridge.reload { $0.replacing("devices: 1,", with: "devices: 3,") }
            _ = try await scenario.device("d4")
            for device in devices { try await device.publish("up", "still here", qos: 1) }
        }
    }

    @Test func theLogFollows() async throws {
        try await Scenario.run { scenario in
            try await scenario.bridge.reload {
                $0.replacing("level: debug, format: text", with: "level: info, format: json")
            }
            let count = await scenario.bridge.process.errors.count
            let device = try await scenario.device("device")
            try await device.disconnect()
            let line = try await scenario.bridge.process.errors.first("the end of the session", from: count) {
                $0.contains("session ended")
            }
            #expect(line.hasPrefix("{"))
            let lines = await scenario.bridge.process.errors.all.dropFirst(count)
            #expect(!lines.contains { $0.contains("debug") })
        }
    }

    @Test(arguments: [
        ("listen:", "lisetn:", "lisetn"), ("log: {", "threads: many\nlog: {", "threads"),
        ("  ca: ", "  ca: /nonexistent", "uplink.ca"),
    ])
    func aBadFileChangesNothing(from: String, to: String, word: String) async throws {
        try await Scenario.run(Self.options("limits: {devices: 10, devices_per_address: 5}")) { scenario in
            let device = try await scenario.device("device")
            let line = try await scenario.bridge.reload {
                $0.replacing(from, with: to).replacing("devices: 10", with: "devices: 1")
            }
            #expect(line.contains("the configuration was not reloaded") && line.contains(" error "), "\(line)")
            #expect(line.contains(word) && line.contains(".yaml:"), "\(line)")
            try await device.publish("up", "still here", qos: 1)
            _ = try await scenario.device("second")
            // Once it is mended, it is used.
            let mended = try await scenario.bridge.reload { $0.replacing(to, with: from) }
            #expect(mended.contains("the configuration was reloaded") && mended.contains("applied=1"), "\(mended)")
        }
    }

    @Test func aMissingFileChangesNothing() async throws {
        try await Scenario.run { scenario in
            let device = try await scenario.device("device")
            try FileManager.default.removeItem(atPath: scenario.bridge.file)
            let line = try await scenario.bridge.reloadAsItIs()
            #expect(line.contains("the configuration was not reloaded") && line.contains(scenario.bridge.file))
            try await device.publish("up", "still here", qos: 1)
        }
    }

    @Test func whatNeedsARestartIsNamedAndTheRestIsApplied() async throws {
        try await Scenario.run(Self.options("limits: {devices: 10, devices_per_address: 5}")) { scenario in
            let device = try await scenario.device("device")
            let line = try await scenario.bridge.reload {
                $0.replacing("devices: 10", with: "devices: 1") + "threads: 3\n"
            }
            #expect(line.contains("applied=1") && line.contains("needs_restart=1"))
            _ = try await scenario.bridge.says(key: "threads", "a changed key needs a restart")
            #expect(try await scenario.client("second").tryConnect(port: scenario.bridge.port).code != 0)
            try await device.publish("up", "still here", qos: 1)
        }
    }

    /// While the program ends, a reload does no harm.
    @Test func aReloadAtTheEndIsHarmless() async throws {
        try await Scenario.run { scenario in
            _ = try await scenario.device("device")
            for number in 0..<20 {
                try scenario.bridge.rewrite { $0 + "# \(number)\n" }
                scenario.bridge.process.signal(SIGHUP)
                if number == 10 { scenario.bridge.process.signal(SIGTERM) }
            }
            #expect(try await scenario.bridge.process.end() == .exit(0))
        }
    }
}
