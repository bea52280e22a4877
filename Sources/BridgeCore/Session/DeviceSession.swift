import MQTTCodec
import NIOCore

/// One device as decisions, whatever the mapping: an event in, actions out, no input or output of its own.
///
/// Actions are performed in their order. An event may be handed over while the last action of a list is performed. Of a
/// leg that an action closed no event comes any more: the next one may be that of another leg.
package protocol DeviceSession: Sendable {
    /// The first actions of every session.
    func started() -> [SessionAction]

    /// How strictly the device's packets are to be read, and the broker's.
    var reading: (device: Reading, uplink: Reading) { get }
    /// Whether `deviceSent(_:)` may be called now. While it may not, the driver keeps what comes, up to its bound.
    var acceptsDeviceInput: Bool { get }
    /// Whether `uplinkSent(_:)` may be called now. While it may not, the driver leaves what comes in the decoder and
    /// grants the broker no more credit. Any event of the device may change it.
    var acceptsUplinkInput: Bool { get }
    /// Whether what the leg still has to send may keep the session from taking more. Not where it sends nothing on it: then
    /// it keeps what the device sends, within bounds of its own.
    var isSending: Bool { get }
    /// Nothing more will come of it: both legs have been closed or are gone, and no timer runs.
    var isOver: Bool { get }

    /// A packet of the device, or a piece of a long one.
    mutating func deviceSent(_ element: FrameDecoder.Element) -> [SessionAction]
    /// What the device sent is no MQTT, or more than allowed. `start` is the first that ever came from it.
    mutating func deviceMisbehaved(_ error: MQTTError, start: ByteBuffer) -> [SessionAction]
    /// The device has shut its sending side down, and everything that came on it was handed to `deviceSent(_:)`, or is
    /// nothing. It may still read.
    mutating func deviceFinished() -> [SessionAction]
    /// The TCP connection is gone, and everything that came on it was handed to `deviceSent(_:)`.
    mutating func deviceClosed() -> [SessionAction]

    /// The answer to `.authenticate`.
    mutating func authenticated(_ isAccepted: Bool) -> [SessionAction]
    /// The broker keeps its session for longer than the device asked for: whoever comes with its client id is to find none.
    var isSessionBorrowed: Bool { get }
    /// Comes before `clientIDTaken(_:)` where the one that had the client id is such a session, which the broker has.
    mutating func findsNoSession()
    /// The session is over here and lives for another second at the broker, which its device had not asked for.
    var lingersAtBroker: Bool { get }
    /// The answer to `.takeClientID`: whether to wait for earlier sessions with the client id.
    mutating func clientIDTaken(_ wait: ClientIDWait) -> [SessionAction]
    /// The last of them is over.
    mutating func clientIDIsFree() -> [SessionAction]
    /// Another session claimed this one's client id; `byContinuation` where its device came without Clean Start, to
    /// go on with the session it had.
    mutating func takenOver(byContinuation: Bool) -> [SessionAction]

    /// The leg that was asked for is there. `limits` are those of the gateway session that it belongs to; `nil` for a
    /// leg that is the device's own session at the broker.
    mutating func uplinkReady(_ limits: GatewayLimits?) -> [SessionAction]
    /// The leg could not be made; `why` is a sentence for people.
    mutating func uplinkUnreachable(_ why: String) -> [SessionAction]
    /// A packet of the broker, or a piece of a long one.
    mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction]
    /// What the broker sent is no MQTT.
    mutating func uplinkMisbehaved(_ error: MQTTError) -> [SessionAction]
    /// The broker's FIN, and everything before it was handed to `uplinkSent(_:)`, but for what the session took no more
    /// input for: that is lost with the leg.
    mutating func uplinkEnded() -> [SessionAction]
    /// The leg is gone, and nothing more can be sent on it.
    mutating func uplinkLost(_ loss: UplinkLoss) -> [SessionAction]

    /// Nothing has come back on the leg for a while, though it should have. It is there still and may go on, but nothing
    /// sent on it now gets anywhere.
    mutating func uplinkSilent() -> [SessionAction]
    /// The leg goes on after `uplinkSilent()`; `silence` is how long the broker has heard nothing.
    mutating func uplinkAnswered(after silence: Duration) -> [SessionAction]

    /// `detail` is what else is known of why it took too long.
    mutating func timedOut(_ timer: SessionTimer, detail: String?) -> [SessionAction]
    /// SIGTERM.
    mutating func shutDown() -> [SessionAction]
}

extension DeviceSession {
    package var reading: (device: Reading, uplink: Reading) { (.strict, .strict) }
    package var acceptsUplinkInput: Bool { true }

    package mutating func authenticated(_ isAccepted: Bool) -> [SessionAction] {
        preconditionFailure("this session asked for no authentication")
    }

    package mutating func takenOver(byContinuation: Bool) -> [SessionAction] {
        preconditionFailure("this session claimed no client id")
    }

    package mutating func clientIDTaken(_ wait: ClientIDWait) -> [SessionAction] {
        preconditionFailure("this session took no client id")
    }

    package mutating func clientIDIsFree() -> [SessionAction] {
        preconditionFailure("this session took no client id")
    }

    package var isSessionBorrowed: Bool { false }

    package mutating func findsNoSession() {}

    package var lingersAtBroker: Bool { false }

    package mutating func uplinkReady() -> [SessionAction] { uplinkReady(nil) }

    package mutating func timedOut(_ timer: SessionTimer) -> [SessionAction] { timedOut(timer, detail: nil) }
}
