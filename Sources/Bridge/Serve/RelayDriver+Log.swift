import BridgeCore
import Logging
import MQTTCodec
import NIOCore

// What is logged about a session.
extension RelayDriver {
    /// Reads the client identifier for the log. If the CONNECT cannot be decoded, refusing it is up to the broker.
    func identify() {
        guard let packet = relay.connectPacket, let frame = try? Frame(packet: packet, version: nil),
            let connect = try? Connect.decode(frame)
        else { return }
        clientID = connect.clientID
        log(.info, "session started", ["version": "\(connect.version)"])
    }

    func ended(_ why: RelayEnd) {
        let duration = Double((NIODeadline.now() - startedAt).nanoseconds) / 1e9
        let level: Logger.Level =
            switch why.importance {
            case .noise: .debug
            case .normal: .info
            case .fault: .warning
            }
        log(level, "session ended", ["reason": "\(why)", "seconds": "\((duration * 1_000).rounded() / 1_000)"])
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ more: Logger.Metadata) {
        var metadata: Logger.Metadata = ["peer": "\(peer)", "leg": "client", "stream": "\(stream.rawValue)"]
        if let clientID { metadata["client_id"] = "\(clientID)" }
        host.logger.log(level: level, message, metadata: metadata.merging(more) { $1 })
    }
}
