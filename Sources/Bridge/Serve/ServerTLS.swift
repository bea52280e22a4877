import BridgeCore
import NIOCore
import QUICTransport
import Synchronization

/// Certificate, key and client CA of `serve`, which may change while it runs.
final class ServerTLS: Sendable {
    private let configuration: ServeConfiguration
    private let state: Mutex<QUICTLSContext>
    /// Of tokens; the same for all event loops.
    let secret: [UInt8]

    /// Throws what is wrong with the files.
    init(configuration: ServeConfiguration) throws {
        self.configuration = configuration
        self.state = Mutex(try Self.load(configuration))
        self.secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    }

    var current: QUICTLSContext { state.withLock { $0 } }

    /// Throws what is wrong with the files; the ones of before stay in use then.
    func reload() throws -> QUICTLSContext {
        let context = try Self.load(configuration)
        state.withLock { $0 = context }
        return context
    }

    /// As the files are now.
    var stamps: [FileStamp?] {
        [configuration.certificateFile, configuration.keyFile, configuration.clientCAFile].map { path in
            path.flatMap { FileStamp(path: $0) }
        }
    }

    private static func load(_ configuration: ServeConfiguration) throws(QUICError) -> QUICTLSContext {
        try QUICTLSContext.server(
            certificateFile: configuration.certificateFile, keyFile: configuration.keyFile,
            clientCAFile: configuration.clientCAFile)
    }
}
