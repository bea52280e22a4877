import Foundation

/// What the bridge connects to: the front or `serve`, with the broker behind it.
struct FarEnd: Sendable {
    enum Kind: Sendable {
        case front
        case serve

        /// The kind that the mapping under test needs.
        static var current: Kind {
            switch TestMapping.current {
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

    /// Starts the far end that the mapping under test needs, or one of another kind.
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

    /// Translates the options of a front into a configuration of `serve`.
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
            log: {level: debug, format: text, repeats: all}
            threads: 2
            \(options.configuration)

            """
    }

    /// The UDP port.
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

    /// The front; `nil` if the far end is `serve`.
    var front: Front? {
        if case .front(let front) = running { front } else { nil }
    }

    /// The running `serve`; `nil` if the far end is a front.
    var serve: Serve? {
        if case .serve(let serve) = running { serve } else { nil }
    }

    /// Stops receiving and sending datagrams, or starts again.
    func mute(_ on: Bool) async throws {
        switch running {
        case .front(let front): try await front.mute(on)
        case .serve(let serve): serve.process.signal(on ? SIGSTOP : SIGCONT)
        }
    }
}
