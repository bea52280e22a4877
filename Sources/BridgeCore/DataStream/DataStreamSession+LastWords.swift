import MQTTCodec
import NIOCore

// What the broker still says to a device that has said its last.
extension DataStreamSession {
    package mutating func deviceFinished() -> [SessionAction] {
        hasDeviceFinished = true
        switch state {
        case .authenticating, .connecting:
            // Its CONNACK is still to come.
            return [.start(.lastWords, after: LastWords<Connected>.patience)]
        case .awaitingConnect, .connected:
            return end(.deviceVanished)
        case .leaving, .reopening, .publishing, .finishing, .ended, .taken:
            return []
        }
    }

    /// A packet of the broker's, after the device's last.
    mutating func uplinkAnswered(_ element: FrameDecoder.Element) -> [SessionAction] {
        guard var words = lastWords else { return [] }
        // No acknowledgement of the device makes room for it any more.
        guard !element.beginsDelivery || words.connected.window?.isFull != true else {
            if case .publishBegin = element {
                words.connected.down.begin(isForwarded: false, deferred: [])
                lastWords = words
            }
            return []
        }
        let present = state
        state = .taken
        // For the broker the stream is at its end.
        let answers = uplinkSent(element, in: &words.connected).filter(\.isForDevice)
        let isUnderstood = if case .taken = state { true } else { false }
        state = present
        lastWords = words
        return isUnderstood ? answers : answers + hangUp()
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
        case .authenticating, .connecting: end(.unansweredAtTheEnd)
        default: hangUp()
        }
    }
}

extension FrameDecoder.Element {
    fileprivate var beginsDelivery: Bool {
        switch self {
        case .packet(let frame): frame.type == .publish
        case .publishBegin, .unreadBegin: true
        case .payload: false
        }
    }
}
