import BridgeCore
import Foundation
import Testing

/// SIGUSR1 to `serve`: it takes no new clients, and sends those that it has to another server.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeDrainTests {
    private static let elsewhere: UInt64 = 0x38B

    @Test(arguments: ["mqtt", "mqtt-mux"])
    func sessionsAreToldAndTheConnectionEnds(alpn: String) async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.client(.init(alpn: [alpn]))
            let (stream, connack) = try await client.session("client-1", level: 5)
            scenario.serve.process.signal(SIGUSR1)
            try await client.expect(.fin(stream))
            #expect(try await client.received(on: stream).dropFirst(connack.count) == [0xE0, 1, 0x8B])
            try await client.send([], on: stream, fin: true)
            let end = try await client.closed()
            #expect(end == .applicationClosed(code: Self.elsewhere, reason: "server shutting down"))
            #expect(try await scenario.serve.process.end() == .exit(0))
            try await scenario.serve.logs("all have left")
            await client.stop()
        }
    }

    @Test func aSessionOf3_1_1IsResetWithTheCode() async throws {
        try await ServeScenario.run { scenario in
            let client = try await scenario.multiplexedClient()
            let (stream, _) = try await client.session("client-1")
            scenario.serve.process.signal(SIGUSR1)
            try await client.expect(.reset(stream, code: Self.elsewhere))
            let end = try await client.closed()
            #expect(end == .applicationClosed(code: Self.elsewhere, reason: "server shutting down"))
            #expect(try await scenario.serve.process.end() == .exit(0))
            await client.stop()
        }
    }

    /// The others work until their turn comes, and nobody new is taken.
    @Test func clientsLeaveOneAfterTheOther() async throws {
        var options = ServeScenario.Options()
        // A quarter of this is one client per second, so some of the twelve are still there when the late one comes.
        options.serve = ["handshakes_per_second: 4", "drain_timeout: 1h"]
        try await ServeScenario.run(options) { scenario in
            var clients: [QUICClient] = []
            for _ in 0..<12 { clients.append(try await Self.patientClient(scenario.serve.port)) }
            scenario.serve.process.signal(SIGUSR1)
            try await scenario.serve.logs("draining: nobody new is taken")
            let late = try await QUICClient.start(port: scenario.serve.port)
            #expect(try await late.closed() == .connectionRefused(reason: ""))
            await late.stop()
            for client in clients {
                let end = try await client.closed()
                #expect(end == .applicationClosed(code: Self.elsewhere, reason: "server shutting down"))
            }
            #expect(try await scenario.serve.process.end() == .exit(0))
            for client in clients { await client.stop() }
        }
    }

    /// A client that is gone can't be told.
    @Test func theTimeEndsADrain() async throws {
        var options = ServeScenario.Options()
        options.serve = ["drain_timeout: 1s", "shutdown_timeout: 1s"]
        try await ServeScenario.run(options) { scenario in
            let client = try await scenario.multiplexedClient()
            _ = try await client.session("client-1")
            try await client.vanish()
            scenario.serve.process.signal(SIGUSR1)
            #expect(try await scenario.serve.process.end() == .exit(0))
            try await scenario.serve.logs("the time to drain is over")
        }
    }

    /// A drain that is to be over sooner tells the rest sooner, and the address is no longer listened on.
    @Test func aSecondDrainMayBeShorter() async throws {
        try await ServeScenario.run { scenario in
            // One client every two seconds leaves each of the two event loops, so all of them would take 40 s.
            let change: (inout ServeConfiguration) -> Void = { $0.limits.handshakesPerSecond = 4 }
            try await InnerServe.run(broker: scenario.broker.port, change) { serve in
                var clients: [QUICClient] = []
                for _ in 0..<40 { clients.append(try await Self.patientClient(serve.port)) }
                await serve.monitor.drain(within: .seconds(3_600))
                #expect(await serve.monitor.status().listen == [])
                await serve.monitor.drain(within: .seconds(16))
                let start = ContinuousClock.now
                for client in clients {
                    let end = try await client.closed()
                    #expect(end == .applicationClosed(code: Self.elsewhere, reason: "server shutting down"))
                    await client.stop()
                }
                // All are told by half of the time.
                #expect(.now - start < .seconds(30))
            }
        }
    }

    /// Tries again while too many handshakes come at once.
    private static func patientClient(_ port: Int) async throws -> QUICClient {
        var options = QUICClient.Options()
        options.alpn = ["mqtt-mux"]
        for _ in 0..<100 {
            if let client = try? await QUICClient.connect(port: port, options) { return client }
            try await Task.sleep(for: .milliseconds(200))
        }
        return try await QUICClient.connect(port: port, options)
    }

    /// Those whose turn has not come are sent elsewhere, too. Whoever has heard nothing yet is still refused for a while.
    @Test func theEndOfADrainSendsTheRestElsewhere() async throws {
        var options = ServeScenario.Options()
        options.serve = ["handshakes_per_second: 4", "drain_timeout: 1h"]
        try await ServeScenario.run(options) { scenario in
            var clients: [QUICClient] = []
            for _ in 0..<4 { clients.append(try await scenario.multiplexedClient()) }
            scenario.serve.process.signal(SIGUSR1)
            try await scenario.serve.logs("draining: nobody new is taken")
            scenario.serve.process.signal(SIGTERM)
            for client in clients {
                let end = try await client.closed()
                #expect(end == .applicationClosed(code: Self.elsewhere, reason: "server shutting down"))
            }
            #expect(try await scenario.serve.process.end() == .exit(0))
            let lines = await scenario.serve.process.errors.all
            let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            let times = lines.filter { $0.contains("shutting down within") || $0.contains("stopped") }
                .compactMap { try? format.parse(String($0.prefix(24))) }
            #expect(times.count == 2 && times[1].timeIntervalSince(times[0]) >= 1, "\(lines.suffix(3))")
            for client in clients { await client.stop() }
        }
    }

    /// Two servers in front of one broker: devices of the one that drains continue on the other, without an attempt to
    /// come back to it.
    @Test(arguments: ["mux", "connection"], ["3.1.1", "5.0"])
    func theBridgeMovesToTheOtherServer(mapping: String, version: String) async throws {
        var options = ServeScenario.Options()
        options.threads = 2
        try await ServeScenario.run(options) { [options] scenario in
            let text = try await ServeScenario.configuration(
                options, in: scenario.folder, brokerPort: scenario.broker.port)
            let other = try await Serve.start(in: scenario.folder, configuration: text)
            await scenario.own(other.process)
            let configuration = try await Scenario.configuration(
                Self.options([scenario.serve.port, other.port], mapping), in: scenario.folder, port: 0)
            let bridge = try await Bridge.start(in: scenario.folder, configuration: configuration)
            await scenario.own(bridge.process)
            let observer = try await scenario.observer("up/#")
            var devices: [PahoClient] = []
            for index in 0..<5 {
                let device = await PahoClient("device-\(index)", scenario.driver)
                try await device.connect(
                    port: bridge.port, ["version": .string(version), "clean": false])
                try await device.subscribe("down/#", qos: 1)
                devices.append(device)
            }
            scenario.serve.process.signal(SIGUSR1)
            var sent: [(PahoClient, PahoEvent)] = []
            for device in devices {
                sent.append((device, try await device.startPublishing("up/\(device.name)", "moved", qos: 1)))
            }
            #expect(try await scenario.serve.process.end() == .exit(0))
            for (device, publish) in sent { try await device.acknowledged(publish) }
            var topics: Set<String> = []
            while topics.count < devices.count { topics.insert(try await observer.message().topic ?? "") }
            try await observer.publish("down/1", "to all", qos: 1)
            for device in devices { #expect(try await device.message().text == "to all") }
            try await other.logs("session started")
            if mapping == "mux" || version == "3.1.1" {
                let line = try await bridge.process.errors.first("the bridge to go elsewhere") {
                    $0.contains("the endpoint's server is shutting down, using another")
                }
                let old = "localhost:\(scenario.serve.port)"
                #expect(line.contains("before=\"QUIC to \(old)\""))
                let later = await bridge.process.errors.all.drop { $0 != line }
                #expect(later.count { $0.contains("session resumed on a new uplink leg") } == devices.count)
                let attempts = later.filter { $0.contains("way=\"QUIC to \(old)\"") }
                #expect(attempts == [])
            }
        }
    }

    /// Its place in the list is that of the new one now, which has nothing to do with it.
    @Test func theOldServerShutsDownAfterAReloadToAnother() async throws {
        try await ServeScenario.run { scenario in
            let text = try await ServeScenario.configuration(
                ServeScenario.Options(), in: scenario.folder, brokerPort: scenario.broker.port)
            let new = try await Serve.start(in: scenario.folder, configuration: text)
            await scenario.own(new.process)
            let third = try await Serve.start(in: scenario.folder, configuration: text)
            await scenario.own(third.process)
            let configuration = try await Scenario.configuration(
                Self.options([third.port, scenario.serve.port], "mux"), in: scenario.folder, port: 0)
            let bridge = try await Bridge.start(
                in: scenario.folder,
                configuration: configuration.replacing(
                    "{host: localhost, port: \(third.port)}, ", with: ""))
            await scenario.own(bridge.process)
            let device = await PahoClient("device", scenario.driver)
            try await device.connect(port: bridge.port)
            // From a list of one to a longer one, and to a shorter one again.
            try await bridge.reload {
                $0.replacing(
                    "port: \(scenario.serve.port)}", with: "port: \(new.port)}, {host: localhost, port: \(third.port)}")
            }
            scenario.serve.process.signal(SIGUSR1)
            #expect(try await scenario.serve.process.end() == .exit(0))
            try await new.logs("session started")
            let late = await PahoClient("late", scenario.driver)
            try await late.connect(port: bridge.port)
            try await bridge.reload {
                $0.replacing("{host: localhost, port: \(new.port)}, ", with: "")
            }
            new.process.signal(SIGUSR1)
            #expect(try await new.process.end() == .exit(0))
            try await third.logs("session started")
            for client in [device, late] { try await client.publish("up", "text", qos: 1) }
            #expect(await bridge.process.errors.all.count { $0.contains("endpoint failed") } == 0)
        }
    }

    private static func options(_ ports: [Int], _ mapping: String) -> Scenario.Options {
        var options = Scenario.Options()
        let endpoints = ports.map { "{host: localhost, port: \($0)}" }.joined(separator: ", ")
        options.configuration = "threads: 3"
        options.uplink = ["mapping: \(mapping)", "endpoints: [\(endpoints)]", "backoff_minimum: 100ms"]
        return options
    }
}
