import DequeModule
import NIOCore

/// A message on its way to the broker.
struct OutgoingPublish: Sendable {
    let operation: ClientOperation
    /// Says which message came before which.
    let order: UInt64
    var message: MQTTMessage
    /// Which data stream it is for; 0 means the control stream.
    let lane: Int
    /// What it counts for in the limit of bytes.
    let size: Int
    /// When the message is of no use any more; `nil` if that is never.
    var expires: NIODeadline?
    /// Kept when the session is resumed ([MQTT-4.4.0-1]).
    var packetID: UInt16?
    /// Whether the broker may know it from before.
    var isSent = false
    /// Whether somebody still waits for the outcome.
    var hasWaiter = true
}

extension OutgoingPublish {
    /// For how long the message is still of use, in seconds, rounded up; `nil` if that is for ever.
    func timeLeft(at now: @autoclosure () -> NIODeadline) -> UInt32? {
        expires.map { UInt32(clamping: max(0, (($0 - now()).nanoseconds + 999_999_999) / 1_000_000_000)) }
    }
}

/// The messages that go out on one stream, in order.
///
/// ```
///   waiting ── sent, QoS 0 ──▶ done
///      │  ▲
///      │  └──── connection lost, session resumed ───┐
///      └── sent, QoS 1 and 2 ──▶ inFlight.published ┤
///                                   │  PUBACK ──▶ done
///                                   └─ PUBREC ──▶ inFlight.released ── PUBCOMP ──▶ done
/// ```
package struct OutgoingFlow: Sendable {
    enum InFlight: Sendable {
        case published(OutgoingPublish)
        /// PUBREL was sent. The payload is gone.
        case released(OutgoingPublish)

        var publish: OutgoingPublish {
            switch self {
            case .published(let publish), .released(let publish): publish
            }
        }
    }

    var waiting: Deque<OutgoingPublish> = []
    var inFlight: [UInt16: InFlight] = [:]
    package internal(set) var identifiers = PacketIdentifiers()

    package var isEmpty: Bool { waiting.isEmpty && inFlight.isEmpty }

    /// Takes out what is in flight, in order.
    mutating func takeInFlight(where matches: (InFlight) -> Bool = { _ in true }) -> [OutgoingPublish] {
        let taken = inFlight.filter { matches($0.value) }
        for identifier in taken.keys { inFlight[identifier] = nil }
        return taken.values.map(\.publish).sorted { $0.order < $1.order }
    }

    /// Takes out the messages of QoS 2 that the broker may have got, in order.
    mutating func takeSentExactlyOnce() -> [OutgoingPublish] {
        let lost = takeInFlight { $0.publish.message.qos == .exactlyOnce }
        let notSentAgain = waiting.filter { $0.isSent && $0.message.qos == .exactlyOnce }
        waiting.removeAll { $0.isSent && $0.message.qos == .exactlyOnce }
        return lost + notSentAgain
    }

    /// Puts messages that were sent before in front of those that were not.
    mutating func putBack(_ publishes: [OutgoingPublish]) {
        waiting.prepend(contentsOf: publishes)
    }

    /// Everything is to be sent anew on another stream, where the packet identifiers mean nothing.
    mutating func takeAll(isSent: Bool) -> [OutgoingPublish] {
        let all = takeInFlight() + waiting
        waiting = []
        identifiers.freeAll()
        return all.map { publish in
            var publish = publish
            publish.packetID = nil
            publish.isSent = publish.isSent && isSent
            return publish
        }
    }
}
