import Foundation

/// What the bridge connects to, with the broker behind it.
struct FarEnd: Sendable {
    enum Kind: Sendable {
        case front
        case serve

        /// What the mapping under test needs.
        static var current: Kind {
            switch Carrier.current {
            case .connection, .dataStream: .front
            case .mux: .serve
            }
        }
    }

    private enum Running: Sendable {
        case front(Front)
        case serve(Serve)
    }

    private let running: Running

    /// Starts what the mapping under test needs, or another kind.
    static func start(
        in folder: Folder, broker: Int, _ options: Front.Options, kind: Kind? = nil
    ) async throws -> FarEnd {
        switch kind ?? .current {
        case .front:
            return FarEnd(running: .front(try await Front.start(broker: broker, options)))
        case .serve:
            let configuration = try await serveConfiguration(broker: broker, options)
            return FarEnd(running: .serve(try await Serve.start(in: folder, configuration: configuration)))
        }
    }

    /// The same for `serve` as for a front.
    private static func serveConfiguration(broker: Int, _ options: Front.Options) async throws -> String {
        let certificates = try await Certificates.make()
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        return """
            serve:
              listen: ["\(host):\(options.port)"]
              certificate: \(certificates.certificate(options.certificate))
              key: \(certificates.key(options.certificate))
              broker_host: 127.0.0.1
              broker_port: \(broker)
              retry: \(options.retry ? "always" : "auto")
              \(options.clientCA.map { "client_ca: \(certificates.certificate($0))" } ?? "")
            \(options.serve.map { "  \($0)" }.joined(separator: "\n"))
            log: {level: debug, format: text}
            threads: 2

            """
    }

    /// UDP.
    var port: Int {
        switch running {
        case .front(let front): front.port
        case .serve(let serve): serve.port
        }
    }

    var process: ChildProcess {
        switch running {
        case .front(let front): front.process
        case .serve(let serve): serve.process
        }
    }

    /// Nil where it is none of Python's.
    var front: Front? {
        if case .front(let front) = running { front } else { nil }
    }

    /// Nil where it is none of the project's own.
    var serve: Serve? {
        if case .serve(let serve) = running { serve } else { nil }
    }

    /// Takes and sends no datagrams from now on, or does so again.
    func mute(_ on: Bool) async throws {
        switch running {
        case .front(let front): try await front.mute(on)
        case .serve(let serve): serve.process.signal(on ? SIGSTOP : SIGCONT)
        }
    }
}
