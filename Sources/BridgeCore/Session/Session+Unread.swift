import MQTTCodec
import NIOCore

/// A session whose CONNECT the bridge can't read, and the broker may: it is malformed, or of a version that the bridge
/// does not know. No rule of the operator needs it, or it would have been refused.
///
/// The session passes packets both ways as they come, and knows only where they end. It is not held when its leg is
/// lost, its client id and keepalive are up to the broker, and the bridge never says anything to the device in its own
/// name, because it is unknown in which version the device would understand it.
extension Session {
    struct Unread: Sendable {
        /// `nil` once CONNECT has been sent.
        var connect: ByteBuffer?
        /// Whether the broker has answered, so that what the device sends behind CONNECT goes up.
        var isAnswered = false
        /// Whether the answer was CONNACK 0.
        var isAccepted = false
        /// Whether FIN has gone to the broker.
        var isFinished = false
        var up = PacketStream()
        var down = PacketStream()
    }

    /// - Parameter error: The reason why CONNECT can't be read.
    mutating func passUnread(connect frame: Frame, _ error: MQTTError) -> [SessionAction] {
        state = .unread(Unread(connect: frame.bytes))
        let identity = SessionIdentity(clientID: "", username: nil, version: .v3_1_1, unread: error)
        return [
            .stop(.connectPacket), .identified(identity), .start(.uplinkConnect, after: context.connectTimeout),
            .openUplink(keepAlive: nil),
        ]
    }

    mutating func sendUnreadConnect() -> [SessionAction] {
        guard case .unread(var unread) = state, let connect = unread.connect else { return [] }
        unread.connect = nil
        unread.isFinished = hasDeviceFinished
        state = .unread(unread)
        return [.sendToUplink(connect)] + (hasDeviceFinished ? [.finishUplink] : [])
    }

    /// The device sends no more. The broker's answers still go to it until the broker ends its side, or for a while.
    mutating func unreadDeviceFinished() -> [SessionAction] {
        guard case .unread(var unread) = state, !unread.isFinished else { return [] }
        unread.isFinished = unread.connect == nil
        state = .unread(unread)
        return (unread.isFinished ? [.finishUplink] : [])
            + [.start(.lastWords, after: LastWords.patience)]
    }

    mutating func deviceSentUnread(_ element: FrameDecoder.Element) -> [SessionAction] {
        guard case .unread(var unread) = state else { return [] }
        let bytes = unread.up.pass(element)
        state = .unread(unread)
        return [.sendToUplink(bytes)]
    }

    mutating func uplinkSentUnread(_ element: FrameDecoder.Element) -> [SessionAction] {
        guard case .unread(var unread) = state else { return [] }
        var actions: [SessionAction] = []
        if !unread.isAnswered {
            unread.isAnswered = true
            actions.append(.stop(.uplinkConnect))
        }
        actions.append(.sendToDevice(unread.down.pass(element)))
        if case .packet(let frame) = element, frame.isAcceptance, !unread.isAccepted {
            unread.isAccepted = true
            actions.append(.connected(idleLimit: nil))
        }
        state = .unread(unread)
        return actions
    }
}

extension PacketStream {
    /// Notes what a passing element begins or ends, and returns its bytes.
    fileprivate mutating func pass(_ element: FrameDecoder.Element) -> ByteBuffer {
        switch element {
        case .packet(let frame):
            return frame.bytes
        case .publishBegin(let publish):
            begin(isForwarded: true, deferred: [])
            return publish.head
        case .unreadBegin(let publish):
            begin(isForwarded: true, deferred: [])
            return publish.start
        case .payload(let bytes, let isLast):
            if isLast { _ = end() }
            return bytes
        }
    }
}

extension Frame {
    /// Whether this is a CONNACK with code 0, which is at the same place in all versions.
    fileprivate var isAcceptance: Bool {
        type == .connack && body.getInteger(at: body.readerIndex + 1, as: UInt8.self) == 0
    }
}
