import Foundation
import Testing

/// The file of session tickets survives restarts, and is never an obstacle.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct TicketTests {
    private static let file = "ticket_file: $FOLDER/tickets"

    private static func options(_ uplink: [String] = [file]) -> Scenario.Options {
        var options = Scenario.Options.onOneLoop(uplink: uplink)
        options.front.tickets = .resume
        return options
    }

    /// Returns the handshake of this device's first connection.
    private func handshake(_ scenario: Scenario, of clientID: String) async throws -> FrontEvent {
        let connection = try await scenario.front.connection(of: clientID)
        return try await scenario.front.events.first("the handshake of \(clientID)") {
            $0.event == "handshake" && $0.connection == connection
        }
    }

    private func fileOf(_ scenario: Scenario) -> URL { URL(filePath: "\(scenario.folder.path)/tickets") }

    /// Ends the bridge in order, so that it has saved everything that it saves.
    private func endBridge(_ scenario: Scenario) async throws {
        scenario.bridge.process.signal(SIGTERM)
        #expect(try await scenario.bridge.process.end() == .exit(0))
    }

    /// Connects a device and ends the bridge, which leaves its file of tickets.
    private func leaveTickets(_ scenario: Scenario) async throws {
        let device = try await scenario.device("first")
        try await device.publish("up", "so that the ticket has come", qos: 1)
        #expect(try await handshake(scenario, of: "first").resumed == false)
        try await endBridge(scenario)
    }

    private func connect(_ scenario: Scenario, _ bridge: Bridge, _ name: String) async throws -> FrontEvent {
        let device = await scenario.client(name)
        try await device.connect(port: bridge.port)
        try await device.publish("up", "hello", qos: 1)
        return try await handshake(scenario, of: name)
    }

    @Test func theFirstConnectionAfterARestartIsResumed() async throws {
        try await Scenario.run(Self.options()) { scenario in
            try await leaveTickets(scenario)
            let attributes = try FileManager.default.attributesOfItem(atPath: fileOf(scenario).path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let bridge = try await scenario.anotherBridge()
            #expect(try await connect(scenario, bridge, "second").resumed == true)
        }
    }

    enum Damage: String, CaseIterable, Sendable {
        case empty, cut, changed, text
    }

    private func damage(_ file: URL, _ how: Damage) throws {
        var bytes = try Data(contentsOf: file)
        switch how {
        case .empty: bytes = Data()
        case .cut: bytes = bytes.prefix(bytes.count / 2)
        case .changed: bytes[bytes.count / 2] ^= 0x10
        case .text: bytes = Data("not a ticket\n".utf8)
        }
        try bytes.write(to: file)
    }

    /// The damage is logged, and costs only a longer handshake.
    @Test(arguments: Damage.allCases) func aDamagedFileIsNoObstacle(how: Damage) async throws {
        try await Scenario.run(Self.options()) { scenario in
            try await leaveTickets(scenario)
            try damage(fileOf(scenario), how)
            let bridge = try await scenario.anotherBridge()
            #expect(try await connect(scenario, bridge, "second").resumed == false)
            #expect(try await connect(scenario, bridge, "third").resumed == true)
            if how != .empty {
                _ = try await bridge.process.errors.first("a word on the tickets") { $0.contains("ticket") }
            }
        }
    }

    @Test func anExpiredTicketIsNotShown() async throws {
        var options = Self.options()
        options.front.ticketLifetime = 1
        try await Scenario.run(options) { scenario in
            try await leaveTickets(scenario)
            try await Task.sleep(for: .seconds(2))
            let bridge = try await scenario.anotherBridge()
            #expect(try await connect(scenario, bridge, "second").resumed == false)
        }
    }

    /// The file contains the tickets of another upstream.
    @Test func ticketsGoToTheirOwnUpstreamOnly() async throws {
        try await Scenario.run(Self.options()) { scenario in
            try await leaveTickets(scenario)
            var options = Front.Options()
            options.tickets = .resume
            let other = try await Front.start(broker: scenario.broker.port, options)
            await scenario.own(other.process)
            let bridge = try await scenario.anotherBridge(port: other.port)
            let device = await scenario.client("second")
            try await device.connect(port: bridge.port)
            let handshake = try await other.events.first("a handshake") { $0.event == "handshake" }
            #expect(handshake.resumed == false)
        }
    }
}
