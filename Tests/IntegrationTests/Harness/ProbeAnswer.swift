import Foundation

/// What `mqtt-quic-bridge probe --json` printed, as far as tests look at it, and how it ended.
struct ProbeAnswer: Decodable, Sendable {
    struct Result: Decodable, Sendable {
        var ok: Bool
        var failure: String?
        var reason: String?
        var exitCode: Int32
    }

    struct Step: Decodable, Sendable {
        var name: String
        var outcome: String
        var summary: String
        var details: [String]
        var warnings: [String]
    }

    struct Handshake: Decodable, Sendable {
        var alpn: String
    }

    struct Chain: Decodable, Sendable {
        struct Certificate: Decodable, Sendable {
            var subject: String
            var signature: String
        }

        var certificates: [Certificate]
        var problem: String?
    }

    struct Session: Decodable, Sendable {
        var version: String
        var code: Int?
        var problem: String?
    }

    struct Datagrams: Decodable, Sendable {
        var bytes: Int
    }

    struct Rebind: Decodable, Sendable {
        var proof: String
        var fromPort: Int?
        var toPort: Int?
        var milliseconds: Double?
    }

    struct Streams: Decodable, Sendable {
        var use: String
        var allowed: Int
    }

    struct Tickets: Decodable, Sendable {
        var hasTicket: Bool
        var allowsEarlyData: Bool
        var isResumed: Bool
        var isEarlyDataAccepted: Bool
    }

    struct Burst: Decodable, Sendable {
        var connections: Int
        var accepted: Int
        var refused: Int
        var failed: Int
    }

    struct Fallback: Decodable, Sendable {
        var port: Int
        var milliseconds: Double?
        var problem: String?
    }

    var result: Result
    var steps: [Step]
    var handshake: Handshake?
    var chain: Chain?
    var session: Session?
    var datagrams: Datagrams?
    var rebind: Rebind?
    var streams: Streams?
    var tickets: Tickets?
    var burst: Burst?
    var fallback: Fallback?
    var configuration: String?

    func outcome(_ step: String) -> String? {
        steps.first { $0.name == step }?.outcome
    }

    /// Runs `probe` with these arguments and `--json`. It must end by itself, with the exit code that it printed.
    static func probe(_ endpoint: String, _ arguments: [String] = []) async throws -> ProbeAnswer {
        let ca = try await Certificates.make().certificate("ca")
        let trust = arguments.contains("--cafile") ? [] : ["--cafile", ca]
        let process = try await ChildProcess.start(
            "probe", Toolbox.bridge(), ["probe", endpoint, "--json", "--env-file", "/dev/null"] + trust + arguments)
        let end = try await process.end()
        _ = try? await process.output.first("the end of output") { _ in false }
        let text = await process.output.all.joined(separator: "\n")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            let answer = try decoder.decode(ProbeAnswer.self, from: Data(text.utf8))
            guard end == .exit(answer.result.exitCode) else {
                throw HarnessError("probe ended with \(end)", text)
            }
            return answer
        } catch let error as DecodingError {
            let errors = await process.errors.all.joined(separator: "\n")
            throw HarnessError("probe ended with \(end): \(error)", text + errors)
        }
    }
}
