import BridgeCore
import Logging
import NIOCore

// What the log has of a session.
extension SessionDriver {
    func ended(_ why: SessionEnd) {
        let duration = Double((NIODeadline.now() - startedAt).nanoseconds) / 1e9
        log(
            level(why), "session ended",
            ["reason": "\(why)", "seconds": "\((duration * 1_000).rounded() / 1_000)"])
    }

    private func level(_ why: SessionEnd) -> Logger.Level {
        // Health checks and port scanners connect and leave without a word.
        if identity == nil, why == .deviceVanished { return .debug }
        return switch why.importance {
        case .noise: .debug
        case .normal: .info
        case .fault: .warning
        }
    }

    func log(_ level: Logger.Level, _ message: Logger.Message, _ more: Logger.Metadata) {
        var metadata: Logger.Metadata = ["peer": "\(peerAndPort)", "listener": "\(listener)", "leg": "device"]
        if let identity {
            metadata["client_id"] = "\(identity.clientID)"
            if let username = identity.username { metadata["username"] = "\(username)" }
        }
        host.logger.log(level: level, message, metadata: metadata.merging(more) { $1 })
    }
}
