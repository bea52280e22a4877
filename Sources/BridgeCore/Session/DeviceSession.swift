import MQTTCodec
import NIOCore

/// One device as a pure state machine, whatever the mapping: an event goes in, actions come out, and nothing is read or
/// written.
///
/// Actions are performed in their order. An event may be handed over while the last action of a list is performed. A
/// leg that an action closed sends no more events: the next one may come from another leg.
package protocol DeviceSession: Sendable {
    /// The first actions of every session.
    func started() -> [SessionAction]

    /// What an operator may want to know about the session as it is now.
    var report: SessionReport { get }

    /// How strictly the packets of the device and of the broker are read.
    var reading: (device: Reading, uplink: Reading) { get }
    // The following five are `mutating` only because the session is otherwise copied for each question: it is stored
    // behind an existential.

    /// Whether `deviceSent(_:)` may be called now. If not, the driver keeps what comes, up to a bound of its own.
    var acceptsDeviceInput: Bool { mutating get }
    /// If `deviceSent(_:)` may not be called: whether only the room is missing that all held sessions share. No event of
    /// this session's own may bring that.
    var awaitsSharedRoom: Bool { mutating get }
    /// Whether `uplinkSent(_:)` may be called now. If not, the driver leaves what comes in the decoder and grants the
    /// broker no more credit. Any event of the device may change the answer.
    var acceptsUplinkInput: Bool { mutating get }
    /// Whether the bytes that the leg still has to send may keep the session from taking more. They may not while the
    /// session sends nothing on the leg: it then keeps what the device sends, within bounds of its own.
    var isSending: Bool { mutating get }
    /// Whether the session is over: both legs have been closed or are gone, and no timer runs.
    var isOver: Bool { mutating get }
    /// Whether the device sends no more; it may still read.
    var hasDeviceFinished: Bool { get }

    // These are asked for with every packet, and so are answered without copying any part of the session.

    /// The same as ``acceptsDeviceInput``.
    mutating func takesDeviceInput() -> Bool
    /// The same as ``acceptsUplinkInput``.
    mutating func takesUplinkInput() -> Bool

    /// Much has come from the device or the broker for a while: the session may keep memory for what comes next.
    mutating func becomeBusy()
    /// Little has come for a while: memory that only a busy session needs is given back.
    mutating func rest()

    /// A packet of the device, or a piece of a long one.
    mutating func deviceSent(_ element: FrameDecoder.Element) -> [SessionAction]
    /// What the device sent is not MQTT, or more than is allowed. `start` is the beginning of what came, until the
    /// device is identified.
    mutating func deviceMisbehaved(_ error: MQTTError, start: ByteBuffer) -> [SessionAction]
    /// The device has shut its sending side down, and everything that came before was handed to `deviceSent(_:)`, or
    /// nothing came. The device may still read.
    mutating func deviceFinished() -> [SessionAction]
    /// The TCP connection is gone, and everything that came on it was handed to `deviceSent(_:)`.
    mutating func deviceClosed() -> [SessionAction]

    /// The answer to `.authenticate`.
    mutating func authenticated(_ isAccepted: Bool) -> [SessionAction]
    /// Whether the broker keeps the session for longer than the device asked for, so that a newcomer with its client id
    /// must not find it.
    var isSessionBorrowed: Bool { get }
    /// Comes before `clientIDTaken(_:)` if an earlier holder of the client id may have left such a session at the broker.
    mutating func findsNoSession()
    /// How long the broker may keep the session, which is over here, although its device did not ask for that; `nil` if
    /// it does not.
    var afterlife: Duration? { get }
    /// The answer to `.takeClientID`: whether to wait for earlier sessions with the client id.
    mutating func clientIDTaken(_ wait: ClientIDWait) -> [SessionAction]
    /// The last of these earlier sessions is over.
    mutating func clientIDIsFree() -> [SessionAction]
    /// Another session claimed this one's client id. `byContinuation` is set if its device came without Clean Start, to
    /// continue the session that it had.
    mutating func takenOver(byContinuation: Bool) -> [SessionAction]

    /// The leg that was asked for is there. `limits` are those of the gateway session to which the leg belongs; `nil`
    /// for a leg of the device's own session at the broker.
    mutating func uplinkReady(_ limits: GatewayLimits?) -> [SessionAction]
    /// What was sent on the leg has been sent a second time, on another connection. Something may come of both.
    mutating func uplinkSentAgain() -> [SessionAction]
    /// The leg could not be made; `why` is a sentence for logs and devices.
    mutating func uplinkUnreachable(_ why: String) -> [SessionAction]
    /// A packet of the broker, or a piece of a long one.
    mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction]
    /// What the broker sent is not MQTT.
    mutating func uplinkMisbehaved(_ error: MQTTError) -> [SessionAction]
    /// The broker's FIN. Everything before it was handed to `uplinkSent(_:)`, except what the session took no more
    /// input for, which is lost with the leg.
    mutating func uplinkEnded() -> [SessionAction]
    /// The leg is gone, and nothing more can be sent on it.
    mutating func uplinkLost(_ loss: UplinkLoss) -> [SessionAction]

    /// The leg's path is silent: nothing has come back for a while, although something should have. The leg is still
    /// there and may recover, but what is sent on it now arrives nowhere.
    mutating func uplinkSilent() -> [SessionAction]
    /// The leg's path answers again after `uplinkSilent()`; `silence` is how long the broker has heard nothing.
    mutating func uplinkAnswered(after silence: Duration) -> [SessionAction]

    /// A timer has run out; `detail` is what else is known about why it took so long.
    mutating func timedOut(_ timer: SessionTimer, detail: String?) -> [SessionAction]
    /// The operator's rules have changed. A session that has not used them yet takes the new ones.
    mutating func adopt(_ rules: SessionRules)
    /// What these rules change for the device; `nil` if nothing. The session goes on under its own.
    ///
    /// - Parameter identity: What `.identified` said; `nil` before that.
    func change(under rules: SessionRules, of identity: SessionIdentity?) -> RulesChange?
    /// The device has to come again, because of that change.
    mutating func rulesChanged(_ change: RulesChange) -> [SessionAction]
    /// The bridge shuts down.
    mutating func shutDown() -> [SessionAction]
    /// An operator ends the session of the device.
    mutating func removedByOperator() -> [SessionAction]
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

    package mutating func uplinkSentAgain() -> [SessionAction] { [] }

    package var afterlife: Duration? { nil }

    /// The leg of the device's own session at the broker is there.
    package mutating func uplinkReady() -> [SessionAction] { uplinkReady(nil) }

    /// A timer has run out, and nothing is known about why.
    package mutating func timedOut(_ timer: SessionTimer) -> [SessionAction] { timedOut(timer, detail: nil) }
}
