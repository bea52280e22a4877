import MQTTCodec
import NIOCore

/// One device with its two legs, as decisions: an event in, actions out, no input or output of its own.
///
/// ```
///                                                        silent, lost, busy: held (see ``Hold``)
///                                                           +---+
///                                                           v   |  answered, or on another leg CONNACK 0
/// awaitingConnect --CONNECT--> connecting --CONNACK 0--> connected
///       |                         |                          |  DISCONNECT, either end's close, keepalive,
///       | limit, bad packet,      | refused, unreachable,    |  violation, shutdown, hold time over
///       | timeout                 | device gone              v
///       |                         +---------------------> finishing   (the broker's FIN awaited)
///       v                                                    |  (an answering broker is still passed on to a device
///       |                                                    |   that has said its last: see ``LastWords``)
///     ended <----------- FIN, loss, goodbye timeout ---------+
///       ^                                                    |
///       +--------- held, and there is no leg -----------(connected)
/// ```
/// The broker sees the device itself, and judges what it sends: a packet whose frame is sound goes there as it came, unless
/// a rule of the bridge needs what can't be read in it. A CONNECT that can't be read goes there too, where no rule needs
/// it; from then on the session is `unread`, and passes frames both ways (``Unread``).
///
/// Where a session is held: what the device sends is kept by its ``Journal``, PINGREQ is answered here, and DISCONNECT
/// ends the session at once. On a leg that is silent everything that waits goes out with it, in case the leg answers. On
/// one that is lost nobody can be told: what the broker has not acknowledged the device has not been told either, and
/// the will has been published by the broker, or will be, as for every lost connection.
///
/// A delivery that the loss cut off in the middle can't be completed, and nothing else can be put there: the device's
/// connection is closed then, without a word.
package struct Session: CoreSession {
    enum State: Sendable {
        case awaitingConnect
        case connecting(Connecting)
        case connected(ConnectedDevice)
        /// Connecting or connected, with a CONNECT that only the broker may be able to read.
        case unread(Unread)
        /// The device is told of its end, and its will is to be had from the broker; CONNECT until it is sent.
        case reclaimingWill(ByteBuffer?)
        case finishing
        case ended
    }

    /// CONNECT is known, the broker's CONNACK is not.
    struct Connecting: Sendable {
        var facts: DeviceFacts
        /// To be sent once the uplink leg is there, and nobody of the same client id before it; `nil` when it has been.
        var connect: ByteBuffer?
        var isUplinkReady = false
        /// No earlier session with the client id is on its way out.
        var isClientIDFree = false
        var router: PacketRouter
        /// The broker asked with AUTH (5.0 4.12): the device's AUTH may pass before CONNACK.
        var isAuthenticating = false
        /// CONNECT as it would be repeated, where the session may outlive its leg.
        var repeated: ByteBuffer?
        /// Topic of the device's retained will, as the broker has it.
        var retainedWill: String?
    }

    static var isThroughGateway: Bool { false }
    /// "MQTT over QUIC", graceful end: the server's FIN is awaited for at most 10 s.
    static let goodbyeTimeout = Duration.seconds(10)

    let context: SessionContext
    var state = State.awaitingConnect
    var lastWords: LastWords?
    var hasDeviceFinished = false
    /// The broker was asked to keep the session for a last second.
    package internal(set) var lingersAtBroker = false

    package init(context: SessionContext) {
        self.context = context
    }

    var device: ConnectedDevice? {
        get { if case .connected(let device) = state { device } else { nil } }
        set { state = newValue.map { .connected($0) } ?? .ended }
    }

    package func started() -> [SessionAction] {
        [.start(.connectPacket, after: context.connectWithin)]
    }

    package var acceptsDeviceInput: Bool {
        switch state {
        case .awaitingConnect: true
        case .connecting(let connecting): connecting.isAuthenticating
        case .connected(let device): device.acceptsDeviceInput
        case .unread(let unread): unread.isAnswered
        case .reclaimingWill, .finishing, .ended: false
        }
    }

    /// What other devices published comes from the broker as it was sent.
    package var reading: (device: Reading, uplink: Reading) { (.lenient, .lenientMessages) }

    package var isOver: Bool {
        if case .ended = state { true } else { false }
    }
}

// MARK: - The device leg

extension Session {
    package mutating func deviceSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .connected:
            break
        case .awaitingConnect:
            guard case .packet(let frame) = element else { return end(.deviceViolation(.firstPacketNotConnect)) }
            return received(connect: frame)
        case .connecting(let connecting):
            guard case .packet(let frame) = element else { return end(.deviceViolation(.beforeConnack)) }
            return deviceSent(frame, while: connecting)
        case .unread:
            return deviceSentUnread(element)
        case .reclaimingWill, .finishing, .ended:
            return []
        }
        return change { $0.deviceSent(element) }
    }

    private mutating func deviceSent(_ frame: Frame, while connecting: Connecting) -> [SessionAction] {
        switch frame.type {
        case .auth where connecting.isAuthenticating: [.sendToUplink(frame.bytes)]
        case .disconnect: end(connecting.facts.ending(by: frame))
        default: context.hasRules ? end(.deviceViolation(.beforeConnack)) : [.sendToUplink(frame.bytes)]
        }
    }

    package mutating func deviceFinished() -> [SessionAction] {
        hasDeviceFinished = true
        switch state {
        case .connecting(let connecting) where !connecting.isAuthenticating:
            // Its CONNACK is still to come.
            return [.start(.lastWords, after: LastWords.patience)]
        case .unread:
            return unreadDeviceFinished()
        case .awaitingConnect, .connecting, .connected:
            return end(.deviceVanished)
        case .reclaimingWill, .finishing, .ended:
            return []
        }
    }
}

// MARK: - The uplink leg

extension Session {
    /// What the broker allows is in its CONNACK.
    package mutating func uplinkReady(_ limits: GatewayLimits?) -> [SessionAction] {
        switch state {
        case .connecting(var connecting):
            connecting.isUplinkReady = true
            return sendConnect(connecting)
        case .connected:
            let timeout = context.connectTimeout
            return change { $0.sendConnectAgain(within: timeout) }
        case .unread:
            return sendUnreadConnect()
        case .reclaimingWill:
            return sendReclaimingConnect()
        case .awaitingConnect, .finishing, .ended:
            return []
        }
    }

    package mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .connected:
            break
        case .connecting(let connecting):
            guard case .packet(let frame) = element else {
                return end(.brokerViolation(.publishBeforeConnack), uplink: .useless)
            }
            return uplinkSent(frame, while: connecting)
        case .unread:
            return uplinkSentUnread(element)
        case .reclaimingWill:
            return uplinkSentWhileReclaiming(element)
        case .finishing:
            return uplinkSentWhileFinishing(element)
        case .awaitingConnect, .ended:
            return []
        }
        return change { $0.uplinkSent(element) }
    }

    /// An answer to what the device sent before its end.
    private mutating func uplinkSentWhileFinishing(_ element: FrameDecoder.Element) -> [SessionAction] {
        let (actions, ended) = answerLastWords(element)
        guard let ended else { return actions }
        if ended.ending?.why.leavesWillBehind == true, let connect = ended.reclaimingConnect {
            return actions + [.stop(.goodbye)] + reclaim(connect)
        }
        state = .ended
        return actions + [.stop(.goodbye), .closeUplink]
    }
}

// MARK: - Time and shutdown

extension Session {
    package mutating func timedOut(_ timer: SessionTimer, detail: String? = nil) -> [SessionAction] {
        switch (timer, state) {
        case (.connectPacket, .awaitingConnect):
            return end(.noConnectPacket)
        case (.uplinkConnect, .connecting(let connecting)):
            let stage = connecting.connect == nil ? "no CONNACK came" : "no QUIC connection was made"
            let sentence = "\(stage) within uplink.connect_timeout"
            return end(.uplinkUnreachable(detail.map { "\(sentence); before that: \($0)" } ?? sentence))
        case (.predecessor, .connecting):
            return clientIDIsFree()
        case (.uplinkConnect, .unread(let unread)) where !unread.isAnswered:
            return end(.uplinkUnreachable(detail ?? "no answer to CONNECT came within uplink.connect_timeout"))
        case (.uplinkConnect, .reclaimingWill):
            return reclaimingFailed(.open)
        case (.goodbye, .finishing):
            state = .ended
            return hangUp() + [.closeUplink]
        // No answer came to what the device sent before it shut its sending side down.
        case (.lastWords, .connecting):
            return end(.unansweredAtTheEnd)
        case (.lastWords, .unread):
            return end(.deviceVanished)
        case (.lastWords, _):
            return hangUp()
        case (_, .connected):
            return change { $0.timedOut(timer, detail) }
        case (_, .awaitingConnect), (_, .connecting), (_, .unread), (_, .reclaimingWill), (_, .finishing), (_, .ended):
            // The timer ran out while what it waited for was already on its way to us.
            return []
        }
    }

    /// Both sides are told, then the broker's FIN is awaited.
    package mutating func shutDown() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .connecting, .connected, .unread: end(.shutdown)
        case .reclaimingWill: reclaimingFailed(.open)
        case .finishing: hangUp()
        case .ended: []
        }
    }
}
