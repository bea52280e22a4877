import Foundation

/// What the bridge connects to, with the broker behind it.
struct FarEnd: Sendable {
    private enum Kind: Sendable {
        case front(Front)
        case serve(Serve)
    }

    private let kind: Kind

    /// Starts what the mapping under test needs.
    static func start(in folder: Folder, broker: Int, _ options: Front.Options) async throws -> FarEnd {
        switch Carrier.current {
        case .connection, .dataStream:
            return FarEnd(kind: .front(try await Front.start(broker: broker, options)))
        case .mux:
            return FarEnd(kind: .serve(try await Serve.start(in: folder, broker: broker, Serve.Options(options))))
        }
    }

    /// UDP.
    var port: Int {
        switch kind {
        case .front(let front): front.port
        case .serve(let serve): serve.port
        }
    }

    var process: ChildProcess {
        switch kind {
        case .front(let front): front.process
        case .serve(let serve): serve.process
        }
    }

    /// Nil where it is none of Python's.
    var front: Front? {
        if case .front(let front) = kind { front } else { nil }
    }

    /// Takes and sends no datagrams from now on, or does so again.
    func mute(_ on: Bool) async throws {
        switch kind {
        case .front(let front): try await front.mute(on)
        case .serve(let serve): serve.process.signal(on ? SIGSTOP : SIGCONT)
        }
    }
}
