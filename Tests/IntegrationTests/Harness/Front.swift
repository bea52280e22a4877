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
        let command = on ? "mute" : "unmute"
        let start = await events.count
        try process.send("{\"command\": \"\(command)\"}")
        _ = try await events.first("the front to \(command)", from: start) {
            $0.event == "done" && $0.command == command
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

    private enum CodingKeys: String, CodingKey {
        case event, connection, port, alpn, stream, code, application, by, sender, type, length, version, reason
        case command
        case clientID = "client_id"
        case reasonCode = "reason_code"
    }
}
