import Foundation

/// The EMQX-like QUIC front of Tests/Support/quic_front.py.
struct Front: Sendable {
    let port: Int
    let process: ChildProcess
    let events: EventLog<FrontEvent>

    struct Options: Sendable {
        var host = "127.0.0.1"
        var port = 0
        /// Of certificates.py.
        var certificate = "server"
        var clientCA: String?
        var alpn = ["mqtt"]
        var retry = false
        var reportsPackets = true
        /// As EMQX has them, without a guard against replays.
        var tickets = Tickets.off
        /// Changes of a connection's address that are followed; nil: all. EMQX 6.0.3 follows 3.
        var followedRebinds: Int?
        /// Seconds.
        var ticketLifetime = 7_200
        /// Bidirectional streams at once on a connection.
        var streams = 10
        /// Off: every stream after the control stream is refused.
        var dataStreams = true
        /// Handshakes under way beyond which a connection is refused; nil: any number. EMQX: max(16, 8 x its cores).
        var acceptors: Int?
        /// Milliseconds that each handshake is held before it is answered, so that a burst finds many under way.
        var acceptDelay = 0
        /// Off: a probe of an unknown version is left unanswered.
        var versionNegotiation = true
        /// Further lines of the section `serve`, where that is the far end.
        var serve: [String] = []
    }

    /// What the front does with session tickets and early data.
    enum Tickets: String, Sendable {
        case off
        /// Tickets that allow no early data.
        case resume
        case earlyData = "early-data"
        /// The same tickets, but what comes early is rejected.
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

    /// Drops all datagrams from now on, or no longer.
    func mute(_ on: Bool) async throws {
        try await perform(on ? "mute" : "unmute")
    }

    /// RESET_STREAM and STOP_SENDING on one stream of a connection.
    func reset(stream: Int, of connection: Int, code: Int = 0) async throws {
        try await perform("reset_stream", ["connection": .int(connection), "stream": .int(stream), "code": .int(code)])
    }

    /// STOP_SENDING on one stream of a connection, and nothing else.
    func stopSending(stream: Int, of connection: Int, code: Int = 0) async throws {
        try await perform("stop_sending", ["connection": .int(connection), "stream": .int(stream), "code": .int(code)])
    }

    /// Answers each new CONNECT, or so many of them, with this CONNACK code from now on; 0 lets the broker decide again.
    func refuseConnects(with code: Int, times: Int? = nil) async throws {
        var fields: [String: JSONValue] = ["code": .int(code)]
        fields["times"] = times.map { .int($0) }
        try await perform("refuse_connect", fields)
    }

    /// Refuses each handshake that begins, or so many of them, from now on, as msquic does while its workers are late.
    func refuseHandshakes(_ times: Int? = nil) async throws {
        try await perform("refuse_handshakes", times.map { ["times": .int($0)] } ?? [:])
    }

    /// For the connections that come from now on.
    func set(_ tickets: Tickets) async throws {
        try await perform("tickets", ["mode": .string(tickets.rawValue)])
    }

    /// As a server that has lost the keys of its tickets.
    func forgetTickets() async throws {
        try await perform("forget_tickets")
    }

    /// Ends a connection as if its client id had connected elsewhere.
    func takeOver(_ connection: Int) async throws {
        try await perform("take_over", ["connection": .int(connection)])
    }

    /// Has a command carried out before it returns.
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

    /// APPLICATION_CLOSE on every connection.
    func closeAll(code: Int) throws {
        try process.send("{\"command\": \"close_all\", \"code\": \(code)}")
    }

    /// Waits until a packet has passed the control stream of this client id's connection.
    @discardableResult
    func sees(_ type: String, of clientID: String) async throws -> FrontEvent {
        let connection = try await connection(of: clientID)
        return try await events.first("\(type) of \(clientID) at the front") {
            $0.event == "packet" && $0.type == type && $0.sender == "client" && $0.connection == connection
        }
    }

    /// Waits until the connection of this client id is closed.
    func closed(_ clientID: String) async throws -> FrontEvent {
        try await events.first("the close of \(clientID) at the front") {
            $0.event == "closed" && $0.clientID == clientID
        }
    }

    /// All that there is to say of the connection that this client id made first, which is known when it is closed: what
    /// the front reports takes another way than what it sends, and may come later.
    func all(of clientID: String) async throws -> [FrontEvent] {
        let connection = try await connection(of: clientID)
        _ = try await events.first("the close of \(clientID) at the front") {
            $0.event == "closed" && $0.connection == connection
        }
        return await events.all.filter { $0.connection == connection }
    }

    /// The CONNECTs of this client id so far.
    func connects(of clientID: String) async -> [FrontEvent] {
        await events.all.filter { $0.event == "packet" && $0.type == "CONNECT" && $0.clientID == clientID }
    }

    /// Waits until it has said so of so many connections.
    func says(_ event: String, times count: Int = 1) async throws {
        var position = 0
        for _ in 0..<count {
            _ = try await events.first("\(event) of the front", from: position) { $0.event == event }
            position += await events.all.dropFirst(position).prefix { $0.event != event }.count + 1
        }
    }

    /// The handshakes so far, in order.
    var handshakes: [FrontEvent] {
        get async { await events.all.filter { $0.event == "handshake" } }
    }

    /// How often it has said so.
    func said(_ event: String) async -> Int {
        await events.all.count { $0.event == event }
    }

    /// The number of the connection that this client id made first.
    func connection(of clientID: String) async throws -> Int? {
        try await events.first("CONNECT of \(clientID) at the front") {
            $0.event == "packet" && $0.type == "CONNECT" && $0.clientID == clientID
        }.connection
    }
}

/// One JSON line of quic_front.py.
struct FrontEvent: Sendable, Decodable {
    let event: String
    /// Seconds of a clock that only runs forward.
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
    /// Of `stream_closed`: `fin`, `reset` or `connection`.
    let end: String?
    /// Of `handshake`.
    let resumed: Bool?
    let earlyData: Bool?
    /// Of `handshake`: whether the client takes datagrams.
    let datagrams: Bool?
    /// Of `refused`: handshakes that were under way.
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
