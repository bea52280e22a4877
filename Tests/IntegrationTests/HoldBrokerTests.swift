import Foundation
import Testing

/// What the broker does while a device is held, or that causes it to be held.
@Suite(.timeLimit(.minutes(20)))
struct HoldBrokerTests {
    private static func options(_ uplink: [String] = Uplink.brisk) -> Scenario.Options {
        var options = Scenario.Options.onOneLoop(uplink: uplink + Uplink.hold())
        options.broker.persistence = true
        return options
    }

    private func connectObserver(_ scenario: Scenario, _ observer: PahoClient) async throws {
        try await observer.connect(
            port: scenario.broker.port,
            ["version": "5.0", "clean": false, "properties": ["SessionExpiryInterval": 300]])
    }

    /// The broker is killed, stays away for a while, and comes back with the state that it had saved.
    @Test(arguments: DeviceKind.all)
    func aBrokerThatDiesAndComesBackIsNotNoticed(kind: DeviceKind) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = await scenario.client("observer")
            try await connectObserver(scenario, observer)
            try await observer.subscribe("up/#")
            let device = try await scenario.device("device-1", kind.fields())
            try await device.subscribe("down/#")
            try await device.publish("up/before", "before", qos: 1)
            #expect(try await observer.message().text == "before")
            try await scenario.killBroker()
            _ = try await observer.disconnected()
            var sent: [PahoEvent] = []
            for number in 1...5 {
                for qos in 1...2 {
                    sent.append(try await device.startPublishing("up/\(qos)", .text("\(number)"), qos: qos))
                }
            }
            try await scenario.holds()
            try await scenario.startBrokerAgain()
            try await connectObserver(scenario, observer)
            try await device.acknowledged(sent)
            try await device.publish("up/end", "end", qos: 2)
            let up = try await observer.messages(until: "up/end")
            #expect(up["up/1"]?.firsts == (1...5).map(String.init))
            #expect(up["up/2"] == (1...5).map(String.init))
            try await observer.publish("down/after", "after", qos: 2)
            #expect(try await device.message().text == "after")
            #expect(await !device.wasDisconnected)
        }
    }

    /// The broker refuses the held device's return. The device is told so in a way that is legal for a connected
    /// device.
    @Test(.mapping(.connection), arguments: [("3.1.1", 5), ("5.0", 0x87)])
    func aReturnThatIsRefusedIsPassedOn(version: String, code: Int) async throws {
        var options = Self.options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let device = try await scenario.device("device-1", ["version": .string(version), "keep_alive": 2])
            try await scenario.relay.blackOut(true)
            try await scenario.holds()
            try await scenario.isForgotten()
            try await scenario.front.refuseConnects(with: code)
            try await scenario.relay.blackOut(false)
            let end = try await device.disconnected()
            if version == "5.0" { #expect(end.fromServer == true && end.code == code) }
            try await scenario.bridgeLogs("session ended", "client_id=device-1", "refused")
            // The bridge does not connect again for a device that is gone.
            #expect(try await scenario.front.connects(of: "device-1").count == 2)
        }
    }

    /// The broker sends STOP_SENDING and nothing else: whatever the device sends on that leg is lost.
    @Test(.mapping(.connection), arguments: DeviceKind.all)
    func aStreamThatTheBrokerNoLongerReadsIsReplaced(kind: DeviceKind) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await scenario.device("device-1", kind.fields())
            try await device.subscribe("down")
            for round in 1...3 {
                let connection = try #require(try await scenario.front.connects(of: "device-1").last?.connection)
                try await scenario.front.stopSending(stream: 0, of: connection)
                try await device.publish("up", .text("\(round)"), qos: 1)
                #expect(try await observer.message().text == "\(round)")
                try await observer.publish("down", .text("\(round)"))
                #expect(try await device.message().text == "\(round)")
                #expect(try await scenario.front.connects(of: "device-1").count == round + 1)
            }
            #expect(await !device.wasDisconnected)
        }
    }

    /// Two gateways have devices with the same client identifier. The older one's device is disconnected, and neither
    /// gateway fights for it.
    @Test(.mapping(.connection, .mux), arguments: ["3.1.1", "5.0"])
    func aTakeoverIsNotFought(version: String) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let other = try await scenario.anotherBridge()
            let older = try await scenario.device("device-1", ["version": .string(version)])
            let newer = await scenario.client("newer")
            try await newer.connect(port: other.port, ["version": .string(version), "client_id": "device-1"])
            let end = try await older.disconnected()
            if version == "5.0" && TestMapping.current == .connection { #expect(end.code == 0x8E) }
            try await scenario.bridgeLogs("session ended", "client_id=device-1")
            #expect(await scenario.bridgeSaid("session held") == 0)
            // This is longer than any backoff.
            try await Task.sleep(for: .seconds(3))
            try await newer.publish("up", "still here", qos: 1)
            #expect(await !newer.wasDisconnected)
        }
    }

    /// The older gateway cannot hear of the takeover. It comes back, but the two must not keep taking the client
    /// identifier from each other.
    @Test(.mapping(.connection), arguments: ["3.1.1", "5.0"])
    func aClientIDThatWasTakenMeanwhileChangesHandsOnlyOnce(version: String) async throws {
        var options = Self.options()
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let other = try await scenario.anotherBridge(port: scenario.farEnd.port)
            let older = try await scenario.device("device-1", ["version": .string(version), "keep_alive": 3])
            try await scenario.relay.blackOut(true)
            _ = try await older.startPublishing("up", "unanswered", qos: 1)
            try await scenario.holds()
            try await scenario.isForgotten()
            let newer = await scenario.client("newer")
            try await newer.connect(port: other.port, ["version": .string(version), "client_id": "device-1"])
            try await scenario.relay.blackOut(false)
            // The last device to connect keeps the client identifier, as without a gateway. The other one is
            // disconnected and stays away.
            _ = try await newer.disconnected()
            try await scenario.reconnects()
            try await Task.sleep(for: .seconds(3))
            #expect(try await scenario.front.connects(of: "device-1").count == 3)
            #expect(await !older.wasDisconnected)
        }
    }

    /// The broker is so slow that the bridge gives up one CONNECT and sends the next. When it reads both in the wrong
    /// order, the older one takes the session from the leg on which the device is. In which order Mosquitto reads them is
    /// left to chance, so the front does what follows.
    @Test(.mapping(.connection), arguments: ["3.1.1", "5.0"])
    func aConnectThatWasGivenUpDoesNotEndTheDevice(version: String) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let device = try await scenario.device("device-1", ["version": .string(version)])
            scenario.broker.process.signal(SIGSTOP)
            try scenario.front.closeAll(code: 2)
            try await scenario.front.seesConnect(2, of: "device-1")
            try scenario.front.closeAll(code: 2)
            let last = try await scenario.front.seesConnect(3, of: "device-1")
            scenario.broker.process.signal(SIGCONT)
            try await scenario.reconnects()
            try await scenario.front.takeOver(try #require(last.connection))
            try await scenario.reconnects(2)
            try await device.publish("up", "back", qos: 1)
            #expect(await !device.wasDisconnected)
        }
    }

    /// Observed with EMQX: 0 means that it stops, 1 is a decision about this session, and 2 means that it is overloaded.
    @Test(.mapping(.connection), arguments: [(0, true), (1, false), (2, true), (0x38E, false), (0x38B, true)])
    func theCodeOfACloseDecides(code: Int, isHeld: Bool) async throws {
        try await Scenario.run(Self.options()) { scenario in
            let device = try await scenario.device("device-1", ["version": "5.0"])
            try scenario.front.closeAll(code: code)
            if isHeld {
                try await scenario.reconnects()
                try await device.publish("up", "back", qos: 1)
                #expect(await !device.wasDisconnected)
            } else {
                _ = try await device.disconnected()
                #expect(await scenario.bridgeSaid("session held") == 0)
            }
        }
    }
}
