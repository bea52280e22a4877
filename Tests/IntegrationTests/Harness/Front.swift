import Foundation

/// The EMQX-like QUIC front that Tests/Support/quic_front.py implements.
struct Front: Sendable {
    let port: Int
    let process: ChildProcess
    let events: EventLog<FrontEvent>

    struct Options: Sendable {
        var host = "127.0.0.1"
        var port = 0
        /// The name of a certificate that certificates.py makes.
        var certificate = "server"
        var clientCA: String?
        var alpn = ["mqtt"]
        var retry = false
        var reportsPackets = true
        /// How session tickets are handled. As with EMQX, there is no protection against replays.
        var tickets = Tickets.off
        /// How many changes of a connection's address are followed; `nil` for all. EMQX 6.0.3 follows 3.
        var followedRebinds: Int?
        /// The lifetime of tickets in seconds.
        var ticketLifetime = 7_200
        /// How many bidirectional streams a connection may have at once.
        var streams = 10
        /// If `false`, every stream after the control stream is refused.
        var dataStreams = true
        /// How many handshakes may be in progress before further connections are refused; `nil` for any number. EMQX
        /// has max(16, 8 x its cores).
        var acceptors: Int?
        /// How many milliseconds each handshake is delayed before it is answered, so that a burst meets many others in
        /// progress.
        var acceptDelay = 0
        /// If `false`, a packet of an unknown version is not answered.
        var versionNegotiation = true
        /// Further lines of the section `serve`, if that is the far end.
        var serve: [String] = []
        /// Further sections of its configuration, if that is the far end.
        var configuration = ""
    }

    /// What the front does with session tickets and early data.
    enum Tickets: String, Sendable {
        case off
        /// The front issues tickets that allow no early data.
        case resume
        case earlyData = "early-data"
        /// The front issues tickets that allow early data, but then rejects it.
        case rejectEarlyData = "reject-early-data"
    }

    static func start(broker: Int, _ options: Options = Options()) async throws -> Front {
        let certificates = try await Certificates.make()
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        var arguments = [
            Toolbox.support("quic_front.py"), "--commands", "--listen", "\(host):\(options.port)",
            "--broker", "127.0.0.1:\(broker)", "--certificate", certificates.certificate(options.certificate),
            "--private-key", certificates.key(options.certificate),
        ]
        arguments += options.alpn.flatMap { ["--alpn", $0] }
        arguments += options.clientCA.map { ["--client-ca", certificates.certificate($0)] } ?? []
        arguments += options.retry ? ["--retry"] : []
        arguments += options.reportsPackets ? [] : ["--no-packets"]
        arguments += ["--tickets", options.tickets.rawValue, "--ticket-lifetime", "\(options.ticketLifetime)"]
        arguments += options.followedRebinds.map { ["--follow-rebinds", "\($0)"] } ?? []
        arguments += options.dataStreams ? ["--streams", "\(options.streams)"] : ["--no-data-streams"]
        arguments += options.acceptors.map { ["--acceptors", "\($0)"] } ?? []
        arguments += options.versionNegotiation ? [] : ["--no-version-negotiation"]
        arguments += ["--accept-delay", "\(options.acceptDelay)"]
        let events = EventLog<FrontEvent>()
        let process = try await ChildProcess.start("quic_front.py", Toolbox.python, arguments) { line in
            guard let line else {
                return await events.finish("the front has ended")
            }
            if let event = try? JSONDecoder().decode(FrontEvent.self, from: Data(line.utf8)) {
                await events.append(event)
            }
        }
        guard let port = try? await events.first("the front to listen", where: { $0.event == "listening" }).port else {
            await process.stop()
            throw HarnessError("the front did not start", await process.errors.all.joined(separator: "\n"))
        }
        return Front(port: port, process: process, events: events)
    }

    /// Drops all datagrams from now on, or stops doing so.
    func mute(_ on: Bool) async throws {
        try await perform(on ? "mute" : "unmute")
    }

    /// Sends RESET_STREAM and STOP_SENDING on a stream of a connection.
    func reset(stream: Int, of connection: Int, code: Int = 0) async throws {
        try await perform("reset_stream", ["connection": .int(connection), "stream": .int(stream), "code": .int(code)])
    }

    /// Sends only STOP_SENDING on a stream of a connection.
    func stopSending(stream: Int, of connection: Int, code: Int = 0) async throws {
        try await perform("stop_sending", ["connection": .int(connection), "stream": .int(stream), "code": .int(code)])
    }

    /// Answers each new CONNECT, or the next `times` of them, with this CONNACK code. With the code 0 the broker
    /// decides again.
    func refuseConnects(with code: Int, times: Int? = nil) async throws {
        var fields: [String: JSONValue] = ["code": .int(code)]
        fields["times"] = times.map { .int($0) }
        try await perform("refuse_connect", fields)
    }

    /// Refuses each new handshake, or the next `times` of them, as msquic does while its workers are overloaded.
    func refuseHandshakes(_ times: Int? = nil) async throws {
        try await perform("refuse_handshakes", times.map { ["times": .int($0)] } ?? [:])
    }

    /// Changes how tickets are handled on connections that begin from now on.
    func set(_ tickets: Tickets) async throws {
        try await perform("tickets", ["mode": .string(tickets.rawValue)])
    }

    /// Makes all earlier tickets worthless, as if the server had lost the ticket keys.
    func forgetTickets() async throws {
        try await perform("forget_tickets")
    }

    /// Ends a connection as if its client identifier had connected elsewhere.
    func takeOver(_ connection: Int) async throws {
        try await perform("take_over", ["connection": .int(connection)])
    }

    /// Sends a command, and returns when the front has carried it out.
    private func perform(_ command: String, _ fields: [String: JSONValue] = [:]) async throws {
        let start = await events.count
        var fields = fields
        fields["command"] = .string(command)
        try process.send(String(decoding: try JSONEncoder().encode(fields), as: UTF8.self))
        let answer = try await events.first("the front to \(command)", from: start) {
            ($0.event == "done" && $0.command == command) || $0.event == "error"
        }
        guard answer.event == "done" else {
            throw HarnessError("the front cannot \(command): \(answer.message ?? "")")
        }
    }

    /// Closes every connection with this application code.
    func closeAll(code: Int) throws {
        try process.send("{\"command\": \"close_all\", \"code\": \(code)}")
    }

    /// Waits until a packet of this type has passed the front on the connection of this client identifier.
    @discardableResult
    func sees(_ type: String, of clientID: String) async throws -> FrontEvent {
        let connection = try await connection(of: clientID)
        return try await events.first("\(type) of \(clientID) at the front") {
            $0.event == "packet" && $0.type == type && $0.sender == "client" && $0.connection == connection
        }
    }

    /// Waits until the connection of this client identifier is closed.
    func closed(_ clientID: String) async throws -> FrontEvent {
        try await events.first("the close of \(clientID) at the front") {
            $0.event == "closed" && $0.clientID == clientID
        }
    }

    /// Returns all events of the first connection of this client identifier. It waits until the connection is closed,
    /// because the front's reports may come later than the packets that it sends.
    func all(of clientID: String) async throws -> [FrontEvent] {
        let connection = try await connection(of: clientID)
        _ = try await events.first("the close of \(clientID) at the front") {
            $0.event == "closed" && $0.connection == connection
        }
        return await events.all.filter { $0.connection == connection }
    }

    /// Everything that the front has done so far. A packet that it passed on may arrive sooner than the report of it, so
    /// this waits until the front has reported all.
    func reported() async throws -> [FrontEvent] {
        try await perform("report")
        return await events.all
    }

    /// The CONNECT packets of this client identifier so far.
    func connects(of clientID: String) async throws -> [FrontEvent] {
        try await reported().filter { $0.event == "packet" && $0.type == "CONNECT" && $0.clientID == clientID }
    }

    /// Waits for the CONNECT with this number of this client identifier, counted from 1, and returns it.
    @discardableResult
    func seesConnect(_ number: Int, of clientID: String) async throws -> FrontEvent {
        let isOne = { @Sendable (event: FrontEvent) in
            event.event == "packet" && event.type == "CONNECT" && event.clientID == clientID
        }
        while true {
            let seen = await events.all
            let connects = seen.filter(isOne)
            if connects.count >= number { return connects[number - 1] }
            _ = try await events.first(
                "CONNECT \(number) of \(clientID) at the front", from: seen.count, where: isOne)
        }
    }

    /// Waits until the front has reported this event `count` times.
    func says(_ event: String, times count: Int = 1) async throws {
        var position = 0
        for _ in 0..<count {
            _ = try await events.first("\(event) of the front", from: position) { $0.event == event }
            position += await events.all.dropFirst(position).prefix { $0.event != event }.count + 1
        }
    }

    /// The handshakes so far, in order.
    var handshakes: [FrontEvent] {
        get async throws { try await reported().filter { $0.event == "handshake" } }
    }

    /// How often the front has reported this event.
    func said(_ event: String) async throws -> Int {
        try await reported().count { $0.event == event }
    }

    /// Waits for the first connection of this client identifier, and returns its number.
    func connection(of clientID: String) async throws -> Int? {
        try await events.first("CONNECT of \(clientID) at the front") {
            $0.event == "packet" && $0.type == "CONNECT" && $0.clientID == clientID
        }.connection
    }
}

/// A JSON line that quic_front.py writes.
struct FrontEvent: Sendable, Decodable {
    let event: String
    /// The time in seconds of a monotonic clock.
    let at: Double
    let connection: Int?
    let port: Int?
    let alpn: String?
    let stream: Int?
    let code: Int?
    let application: Bool?
    let by: String?
    let sender: String?
    let type: String?
    let length: Int?
    let clientID: String?
    let version: Int?
    let reason: String?
    let reasonCode: Int?
    let command: String?
    let message: String?
    /// How the stream of `stream_closed` ended: `fin`, `reset` or `connection`.
    let end: String?
    /// Whether the session of this `handshake` was resumed.
    let resumed: Bool?
    let earlyData: Bool?
    /// Whether the client of this `handshake` accepts DATAGRAM frames.
    let datagrams: Bool?
    /// How many handshakes were in progress at this `refused`.
    let underWay: Int?

    private enum CodingKeys: String, CodingKey {
        case event, at, connection, port, alpn, stream, code, application, by, sender, type, length, version, reason
        case command, message, end, resumed, datagrams
        case underWay = "under_way"
        case earlyData = "early_data"
        case clientID = "client_id"
        case reasonCode = "reason_code"
    }
}
