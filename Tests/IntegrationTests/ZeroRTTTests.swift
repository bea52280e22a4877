import Foundation
import Testing

/// CONNECT is sent in the first datagram, and nothing else is.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ZeroRTTTests {
    private static func options(_ tickets: Front.Tickets, zeroRTT: Bool = true) -> Scenario.Options {
        var options = Scenario.Options.onOneLoop(uplink: zeroRTT ? ["zero_rtt: connect"] : [])
        options.front.tickets = tickets
        return options
    }

    /// Connects a device with this name, so that the bridge gets a ticket.
    private func getTicket(_ scenario: Scenario, _ name: String = "before") async throws {
        let device = try await scenario.device(name)
        try await device.publish("ticket", "so that the ticket has come", qos: 1)
    }

    /// Connects a device that does not wait for CONNACK, and returns what the front saw of its connection.
    private func hasty(_ scenario: Scenario, _ name: String, _ observer: PahoClient) async throws -> [FrontEvent] {
        let device = try await RawDevice.connect(port: scenario.bridge.port)
        let connect = RawMQTT.connect(name)
        try await device.send(connect + RawMQTT.publish("up/\(name)", Array("hello".utf8), packetID: 1))
        #expect(try await device.packet().body == [0, 0])
        #expect(try await device.packet().first == 0x40)
        #expect(try await observer.message().text == "hello")
        try await device.send(RawMQTT.disconnect)
        _ = try await device.closed()
        return try await scenario.front.all(of: name)
    }

    @Test func onlyConnectIsSentEarly() async throws {
        try await Scenario.run(Self.options(.earlyData)) { scenario in
            try await getTicket(scenario)
            let events = try await hasty(scenario, "hasty", scenario.observer("up/#"))
            let handshake = try #require(events.firstIndex { $0.event == "handshake" })
            #expect(events[handshake].earlyData == true)
            let ofClient = events.indices.filter { events[$0].event == "packet" && events[$0].sender == "client" }
            #expect(ofClient.filter { $0 < handshake }.map { events[$0].type } == ["CONNECT"])
            #expect(events.count { $0.type == "CONNECT" } == 1 && events.count { $0.type == "PUBLISH" } == 1)
        }
    }

    /// The device does not notice, and the broker receives everything only once.
    @Test func rejectedEarlyDataIsSentAgain() async throws {
        try await Scenario.run(Self.options(.earlyData)) { scenario in
            try await getTicket(scenario)
            let observer = try await scenario.observer("up/#")
            for tickets in [Front.Tickets.rejectEarlyData, .off] {
                try await scenario.front.set(tickets)
                let events = try await hasty(scenario, "hasty-\(tickets.rawValue)", observer)
                let handshake = try #require(events.first { $0.event == "handshake" })
                #expect(handshake.earlyData == false && handshake.resumed == (tickets == .rejectEarlyData))
                #expect(events.count { $0.type == "CONNECT" } == 1 && events.count { $0.type == "PUBLISH" } == 1)
                try await scenario.front.set(.earlyData)
                try await getTicket(scenario, "after-\(tickets.rawValue)")
            }
        }
    }

    @Test(arguments: [(Front.Tickets.earlyData, false), (.resume, true)])
    func nothingIsSentEarlyUnlessBothSidesAllowIt(tickets: Front.Tickets, zeroRTT: Bool) async throws {
        try await Scenario.run(Self.options(tickets, zeroRTT: zeroRTT)) { scenario in
            try await getTicket(scenario)
            let events = try await hasty(scenario, "hasty", scenario.observer("up/#"))
            let handshake = try #require(events.first { $0.event == "handshake" })
            #expect(handshake.resumed == true && handshake.earlyData == false)
        }
    }
}
