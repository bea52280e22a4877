import MQTTCodec
import NIOCore

// What the broker still says to a device that has said its last.
extension Session {
    /// The device has shut its sending side down, and everything that came on it was handed over. It may still read.
    package mutating func deviceFinished() -> [SessionAction] {
        hasDeviceFinished = true
        switch state {
        case .connecting(let connecting) where !connecting.isAuthenticating:
            // Its CONNACK is still to come.
            return [.start(.lastWords, after: LastWords<Connected>.patience)]
        case .unread:
            return unreadDeviceFinished()
        case .awaitingConnect, .connecting, .connected, .taken:
            return end(.deviceVanished)
        case .reclaimingWill, .finishing, .ended:
            return []
        }
    }

    /// A packet of the broker's, after the device's last.
    mutating func uplinkAnswered(_ element: FrameDecoder.Element) -> [SessionAction] {
        guard var words = lastWords else { return [] }
        state = .taken
        // For the broker the stream is at its end.
        let actions = uplinkSent(element, in: &words.connected)
        let answers = actions.filter(\.isForDevice)
        if case .taken = state {
            state = .finishing
            lastWords = words
            return answers
        }
        // DISCONNECT, or something that nobody understands.
        lastWords = nil
        if case .reclaimingWill = state {
            return [.stop(.lastWords), .stop(.goodbye)] + actions.filter { !$0.isEnd }
        }
        state = .ended
        return answers + [.stop(.lastWords), .closeDevice, .stop(.goodbye), .closeUplink]
    }

    /// The broker has no more answers, or has had its time.
    mutating func hangUp() -> [SessionAction] {
        guard let words = lastWords else { return [] }
        lastWords = nil
        return words.hangUp(isInsidePacket: words.connected.down.isInsidePacket)
    }

    /// No answer came to what the device sent before it shut its sending side down.
    mutating func lastWordsTimedOut() -> [SessionAction] {
        switch state {
        case .connecting: end(.unansweredAtTheEnd)
        case .unread: end(.deviceVanished)
        case .awaitingConnect, .connected, .reclaimingWill, .finishing, .ended, .taken: hangUp()
        }
    }
}
