import BridgeCore
import Logging
import MQTTCodec
import NIOCore

// What is logged about a session.
extension SessionDriver {
    func ended(_ why: SessionEnd) {
        let duration = Double((NIODeadline.now() - startedAt).nanoseconds) / 1e9
        log(
            level(why), "session ended",
            ["reason": "\(why)", "seconds": "\((duration * 1_000).rounded() / 1_000)"])
    }

    private func level(_ why: SessionEnd) -> Logger.Level {
        // Health checks and port scanners connect and leave without sending anything.
        if identity == nil, why == .deviceVanished { return .debug }
        return switch why.importance {
        case .noise: .debug
        case .normal: .info
        case .fault: .warning
        }
    }

    /// Logs what an operator should know about a session that continues.
    func note(_ note: SessionNote) {
        let level: Logger.Level = note.needsAttention ? .warning : .info
        switch note {
        case .sessionNotKept:
            log(level, "session will not outlive its connection: data streams have no persistent sessions", [:])
        case .willLost(let why):
            log(level, "the device's will is lost, or it is unknown whether it was published", ["reason": "\(why)"])
        case .willRefused(let code):
            log(level, "the broker refused the device's will", ["code": "\(ReasonCode(rawValue: code).inWords)"])
        case .held(let why):
            log(level, "session held: broker unreachable or busy", ["reason": "\(why)"])
        case .resumed(.sameLeg):
            log(level, "session resumed: the broker answers again", [:])
        case .resumed(.newLeg(let isSessionPresent, let resent)):
            log(
                level, "session resumed on a new uplink leg",
                ["broker_session": isSessionPresent ? "kept" : "new", "resent": "\(resent)"])
        case .subscriptionsLost(let count):
            log(level, "the broker no longer grants subscriptions that the device had", ["filters": "\(count)"])
        case .messagesExpired(let count):
            log(
                level, "messages dropped: their Message Expiry Interval ended while they waited",
                ["messages": "\(count)"])
        case .messagesDisplaced(let count):
            log(level, "messages at QoS 0 dropped: others needed their room", ["messages": "\(count)"])
        case .platform(let notice):
            let message: Logger.Message =
                switch notice.finding {
                case .anotherDevice, .deniedKind: "message kept back: the platform would disconnect the device"
                case .deniedFilter: "subscription kept back: the platform would disconnect the device"
                case .neverIngested: "message passed on: the platform accepts it and never stores it"
                }
            log(level, message, ["topic": "\(notice.topic)", "reason": "\(notice.finding.explanation)"])
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
