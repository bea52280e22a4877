import Foundation
import NIOCore
import Testing

/// How CONNECT can be answered after one round trip: connections made ahead of time, session tickets, and early data.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct QuickConnectTests {
    /// The delay in each direction. It is long enough to tell two round trips from one on a busy machine.
    private static let delay = TimeAmount.milliseconds(150)

    private func options(_ uplink: String..., tickets: Front.Tickets = .off) -> Scenario.Options {
        var options = Scenario.Options.onOneLoop(uplink: uplink)
        options.front.tickets = tickets
        return options
    }

    private func slowDown(_ scenario: Scenario) async throws {
        try await scenario.relay.set { $0.delay = [.up: Self.delay, .down: Self.delay] }
    }

    /// Measures the time from CONNECT to CONNACK while datagrams take `delay` in each direction.
    private func timeOfConnect(_ name: String, _ scenario: Scenario) async throws -> TimeAmount {
        let device = try await RawDevice.connect(port: scenario.bridge.port)
        let start = NIODeadline.now()
        #expect(try await device.connect(name) == 0)
        return NIODeadline.now() - start
    }

    /// Waits until this many handshakes have completed at the front.
    private func handshakes(_ count: Int, _ scenario: Scenario) async throws -> [FrontEvent] {
        let events = try scenario.front.events
        var start = 0
        var found: [FrontEvent] = []
        while found.count < count {
            let event = try await events.first("handshake \(found.count + 1) of \(count)", from: start) {
                $0.event == "handshake"
            }
            let all = await events.all
            start = (all.indices.dropFirst(start).first { all[$0].event == "handshake" } ?? start) + 1
            found.append(event)
        }
        return found
    }

    // MARK: Ahead of time

    @Test func aDeviceTakesAConnectionThatIsReady() async throws {
        try await Scenario.run(options("warm: 2")) { scenario in
            try await scenario.bridgeSays("the broker can be reached")
            let ready = try await handshakes(2, scenario).compactMap(\.connection)
            _ = try await scenario.device("device")
            // The device takes the older of the two connections, and another one is made to replace it.
            #expect(try await scenario.front.connection(of: "device") == ready.first)
            _ = try await handshakes(3, scenario)
        }
    }

    @Test func devicesDoNotWaitForConnectionsThatAreMissing() async throws {
        try await Scenario.run(options("warm: 2")) { scenario in
            _ = try await handshakes(2, scenario)
            let load = try await scenario.load()
            try await load.connect(30, port: scenario.bridge.port, ["subscribe": true])
            #expect(try await load.perform("publish", answer: "published").count == 30)
        }
    }

    @Test func aServerThatClosesWarmConnectionsCostsAHandshake() async throws {
        try await Scenario.run(options("warm: 1")) { scenario in
            _ = try await handshakes(1, scenario)
            try scenario.front.closeAll(code: 0)
            try await scenario.bridgeSays("a connection made ahead of time has ended")
            let device = try await scenario.device("device")
            try await device.publish("up", "hello", qos: 1)
            #expect(await scenario.linesOfBridge("WARN").isEmpty)
        }
    }

    /// CONNECT and the server's close cross each other on the way.
    @Test func aConnectionThatIsClosedAsItIsTakenHarmsNobody() async throws {
        var options = options("warm: 1")
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let ready = try await handshakes(1, scenario).compactMap(\.connection)
            try await scenario.relay.set { $0.held = [.down] }
            try scenario.front.closeAll(code: 0)
            _ = try await scenario.front.events.first("the end of the first connection") {
                $0.event == "closed" && $0.connection == ready.first
            }
            async let device = scenario.device("device")
            // The connection has been taken when another one is made to replace it.
            _ = try await scenario.front.events.first("the next connection") {
                $0.event == "connection" && $0.connection != ready.first
            }
            try await scenario.relay.set { $0.held = [] }
            try await scenario.bridgeSays("CONNECT is sent again on another connection")
            try await device.publish("up", "hello", qos: 1)
        }
    }

    /// The device's connection has the long idle timeout that it needs.
    @Test func aDeviceWithALongKeepAliveGetsAConnectionOfItsOwn() async throws {
        try await Scenario.run(options("warm: 1")) { scenario in
            let ready = try await handshakes(1, scenario).compactMap(\.connection)
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("patient", keepAlive: 600) == 0)
            #expect(try await scenario.front.connection(of: "patient") != ready.first)
            await device.close()
        }
    }

    @Test func aBrokerThatCannotBeReachedIsReportedAtOnceAndFoundLater() async throws {
        var options = options("warm: 1", "connect_timeout: 1s", "backoff_minimum: 50ms", "backoff_maximum: 200ms")
        let port = try Toolbox.freePort()
        options.uplinkPort = port
        try await Scenario.run(options) { scenario in
            try await scenario.bridgeLogs("the broker cannot be reached")
            var front = Front.Options()
            front.port = port
            let second = try await FarEnd.start(in: scenario.folder, broker: scenario.broker.port, front)
            await scenario.own(second.process)
            try await scenario.bridgeLogs("the broker can be reached again")
            _ = try await scenario.device("device")
            #expect(await scenario.bridgeSaid("the broker cannot be reached") == 1)
        }
    }

    @Test func warmConnectionsAreClosedAtTheEnd() async throws {
        try await Scenario.run(options("warm: 2")) { scenario in
            let ready = try await handshakes(2, scenario).compactMap(\.connection)
            scenario.bridge.process.signal(SIGTERM)
            for connection in ready {
                let end = try await scenario.front.events.first("the end of connection \(connection)") {
                    $0.event == "closed" && $0.connection == connection
                }
                #expect(end.code == 0)
            }
            #expect(try await scenario.bridge.process.end() == .exit(0))
        }
    }

    // MARK: Tickets

    @Test func laterHandshakesAreResumed() async throws {
        try await Scenario.run(options(tickets: .resume)) { scenario in
            _ = try await scenario.device("first")
            _ = try await scenario.device("second")
            #expect(try await handshakes(2, scenario).map(\.resumed) == [false, true])
            try await scenario.bridgeLogs("connected to the broker", "resumed=true", "early_data=false")
        }
    }

    @Test func aServerThatForgotItsTicketsCostsAFullHandshake() async throws {
        try await Scenario.run(options("zero_rtt: connect", tickets: .earlyData)) { scenario in
            _ = try await scenario.device("first")
            try await scenario.front.forgetTickets()
            let device = try await scenario.device("second")
            try await device.publish("up", "hello", qos: 1)
            #expect(try await handshakes(2, scenario).map(\.resumed) == [false, false])
        }
    }

    // MARK: Early data

    /// One round trip may take as long as two if the machine stands still meanwhile, so the best of several attempts
    /// counts.
    @Test func connectIsSentBeforeTheHandshakeCompletes() async throws {
        let times = EventLog<TimeAmount>()
        var isEarly = false
        for _ in 0..<8 where !isEarly {
            try await connectEarly(times)
            isEarly = await times.all.contains { $0 < Self.delay * 3 }
        }
        let all = await times.all
        #expect(isEarly, "\(all)")
    }

    private func connectEarly(_ times: EventLog<TimeAmount>) async throws {
        var options = options("zero_rtt: connect", tickets: .earlyData)
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            _ = try await scenario.device("first")
            // The ticket has arrived by the time the device is answered.
            try await slowDown(scenario)
            let time = try await timeOfConnect("second", scenario)
            await times.append(time)
            #expect(try await handshakes(2, scenario).map(\.earlyData) == [false, true])
            let third = try await scenario.device("third")
            try await third.publish("up", "hello", qos: 1)
            #expect(try await observer.message().text == "hello")
        }
    }

    @Test func nothingIsSentEarlyUnlessConfigured() async throws {
        try await Scenario.run(options(tickets: .earlyData)) { scenario in
            _ = try await scenario.device("first")
            _ = try await scenario.device("second")
            #expect(try await handshakes(2, scenario).map(\.earlyData) == [false, false])
        }
    }

    /// The device does not notice, and the broker receives CONNECT only once.
    @Test func rejectedEarlyDataIsSentAgain() async throws {
        try await Scenario.run(options("zero_rtt: connect", tickets: .earlyData)) { scenario in
            let observer = try await scenario.observer("up")
            _ = try await scenario.device("first")
            try await scenario.front.set(.rejectEarlyData)
            let device = try await scenario.device("second")
            try await device.publish("up", "hello", qos: 2)
            #expect(try await observer.message().text == "hello")
            try await device.disconnect()
            let events = try await scenario.front.all(of: "second")
            #expect(events.count { $0.type == "CONNECT" } == 1)
            #expect(try await handshakes(2, scenario).map(\.earlyData) == [false, false])
        }
    }

    @Test func aDeviceThatLeavesEarlyTakesItsConnectionAlong() async throws {
        var options = options("zero_rtt: connect", tickets: .earlyData)
        options.relayed = true
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("first")
            try await scenario.relay.blackOut(true)
            let start = try await scenario.relay.happenings.count
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(RawMQTT.connect("second"))
            try await scenario.relay.swallowed(1, .up, from: start)
            await device.close()
            try await scenario.bridgeLogs("session ended", "client_id=second")
            try await scenario.relay.blackOut(false)
            // The next device can connect.
            let third = try await scenario.device("third")
            try await third.publish("up", "hello", qos: 1)
        }
    }

    // MARK: The file

    private func start(_ scenario: Scenario, again bridge: Bridge) async throws -> Bridge {
        bridge.process.signal(SIGTERM)
        #expect(try await bridge.process.end() == .exit(0))
        return try await scenario.anotherBridge()
    }

    private func connect(_ name: String, _ scenario: Scenario, through bridge: Bridge) async throws {
        let client = await scenario.client(name)
        try await client.connect(port: bridge.port)
    }

    @Test func ticketsOutliveTheProcess() async throws {
        try await Scenario.run(options("ticket_file: $FOLDER/tickets", tickets: .resume)) { scenario in
            try await connect("first", scenario, through: scenario.bridge)
            let path = "\(scenario.folder.path)/tickets"
            let bridge = try await start(scenario, again: scenario.bridge)
            let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(permissions == 0o600)
            try await connect("second", scenario, through: bridge)
            #expect(try await handshakes(2, scenario).map(\.resumed) == [false, true])
        }
    }

    @Test func aDamagedFileCostsFullHandshakes() async throws {
        try await Scenario.run(options("ticket_file: $FOLDER/tickets", tickets: .resume)) { scenario in
            try await connect("first", scenario, through: scenario.bridge)
            let path = "\(scenario.folder.path)/tickets"
            let file = URL(filePath: path)
            scenario.bridge.process.signal(SIGTERM)
            _ = try await scenario.bridge.process.end()
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            let bridge = try await scenario.anotherBridge()
            _ = try await bridge.process.errors.first("the warning about the damaged tickets") {
                $0.contains("the saved session tickets cannot be used") && $0.contains("damaged")
            }
            try await connect("second", scenario, through: bridge)
            #expect(try await handshakes(2, scenario).map(\.resumed) == [false, false])
        }
    }
}
