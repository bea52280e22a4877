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
package struct Session: DeviceSession {
    enum State: Sendable {
        case awaitingConnect
        case connecting(Connecting)
        case connected(Connected)
        /// Connecting or connected, with a CONNECT that only the broker may be able to read.
        case unread(Unread)
        /// The device is told of its end, and its will is to be had from the broker; CONNECT until it is sent.
        case reclaimingWill(ByteBuffer?)
        case finishing
        case ended
        /// Only while one of the methods below works on what the other cases hold, so that it is changed in place.
        case taken
    }

    /// CONNECT is known, the broker's CONNACK is not.
    struct Connecting: Sendable {
        var device: DeviceFacts
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

    struct Connected: Sendable {
        var device: DeviceFacts
        var router: PacketRouter
        var up = PacketStream()
        var down = PacketStream()
        /// `nil`: the session ends with its leg.
        var hold: Hold?
        /// The device sent CONNECT again: whatever the broker makes of it, it is the answer to that.
        var hasConnectedAgain = false
        /// The device sent a DISCONNECT that is for the broker to judge.
        var hasLeft = false
    }

    /// What of CONNECT matters later.
    struct DeviceFacts: Sendable {
        var version: MQTTVersion
        /// Seconds; 0 is none.
        var keepAlive: UInt16
        /// The bridge chose the client id, so a 5.0 device has to be told.
        var assignedClientID: String?
        /// Clean Session, or Clean Start.
        var isClean = true
        /// The bridge asked for a Session Expiry Interval that the device does not know of (5.0): it ends with the
        /// session.
        var hasBorrowedExpiry = false
        /// The broker has a will of the device.
        var hasWill = false
        /// CONNECT asked for no session that outlives it (5.0).
        var hasNoExpiry = false
        /// Bytes of a packet that the device takes; `nil` is no limit.
        var maximumPacketSize: UInt32?

        var keepAliveDuration: Duration? { keepAlive == 0 ? nil : .seconds(Int64(keepAlive)) }
    }

    let context: SessionContext
    var state = State.awaitingConnect
    /// What the device may still hear, while its leg is open and the session is `finishing`.
    var lastWords: LastWords<Connected>?
    /// The device sends no more, and may still read.
    var hasDeviceFinished = false
    /// The broker was asked to keep the session for a last second.
    package internal(set) var lingersAtBroker = false

    package init(context: SessionContext) {
        self.context = context
    }

    /// The first actions of every session.
    package func started() -> [SessionAction] {
        [.start(.connectPacket, after: context.connectWithin)]
    }

    /// Whether `deviceSent(_:)` may be called now. While it may not, the driver keeps what comes, up to its bound.
    package var acceptsDeviceInput: Bool {
        switch state {
        case .awaitingConnect: true
        case .connected(let connected):
            !connected.down.isFull && (connected.hold?.journal.acceptsInput() ?? true)
        case .connecting(let connecting): connecting.isAuthenticating
        case .unread(let unread): unread.isAnswered
        case .reclaimingWill, .finishing, .ended, .taken: false
        }
    }

    /// What other devices published comes from the broker as it was sent.
    package var reading: (device: Reading, uplink: Reading) { (.lenient, .lenientMessages) }

    package var isSending: Bool {
        if case .connected(let connected) = state { connected.hold?.isHeld != true } else { true }
    }

    package var isOver: Bool {
        if case .ended = state { true } else { false }
    }
}

// MARK: - The device leg

extension Session {
    /// A packet of the device, or a piece of a long one.
    package mutating func deviceSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .awaitingConnect:
            guard case .packet(let frame) = element else {
                return end(.deviceViolation(.firstPacketNotConnect))
            }
            return received(connect: frame)
        case .connecting(let connecting):
            guard case .packet(let frame) = element else { return violation(.beforeConnack) }
            return deviceSent(frame, while: connecting)
        case .connected(var connected):
            state = .taken
            let actions = deviceSent(element, in: &connected)
            if case .taken = state { state = .connected(connected) }
            return actions
        case .unread:
            return deviceSentUnread(element)
        case .reclaimingWill, .finishing, .ended, .taken:
            return []
        }
    }

    /// What the device sent is no MQTT, or more than allowed. `start` is the first that ever came from it.
    package mutating func deviceMisbehaved(_ error: MQTTError, start: ByteBuffer) -> [SessionAction] {
        if case .awaitingConnect = state, let guess = ForeignProtocol.guess(start) { return end(.notMQTT(guess)) }
        return violation(error)
    }

    /// The TCP connection is gone, and everything that came on it was handed to `deviceSent(_:)`.
    package mutating func deviceClosed() -> [SessionAction] {
        guard lastWords == nil else {
            lastWords = nil
            return [.stop(.lastWords)]
        }
        return end(.deviceVanished)
    }

    private mutating func deviceSent(_ frame: Frame, while connecting: Connecting) -> [SessionAction] {
        switch frame.type {
        case .auth where connecting.isAuthenticating: [.sendToUplink(frame.bytes)]
        case .disconnect: disconnected(by: frame, connecting.device)
        default: context.hasRules ? violation(.beforeConnack) : [.sendToUplink(frame.bytes)]
        }
    }

    private mutating func deviceSent(
        _ element: FrameDecoder.Element, in connected: inout Connected
    ) -> [SessionAction] {
        switch element {
        case .packet(let frame):
            return deviceSent(frame, in: &connected)
        case .publishBegin(let begin):
            do {
                let routed = try connected.router.fromDevice(begin)
                if let refusal = routed.close { return refuse(refusal, leaving: connected.standing) }
                connected.up.begin(isForwarded: routed.head != nil, deferred: routed.reply)
                guard let head = routed.head else { return [] }
                guard let step = try connected.hold?.journal.begin(head, payloadLength: begin.payloadLength) else {
                    return [.sendToUplink(head)]
                }
                return perform(step, in: &connected)
            } catch {
                return violation(error, leaving: connected.standing)
            }
        case .unreadBegin(let begin):
            guard connected.router.passesEverything else {
                return violation(begin.error ?? .unreadable(.publish), leaving: connected.standing)
            }
            connected.up.begin(isForwarded: true, deferred: [])
            let step = connected.hold?.journal.begin(begin)
            return step.map { perform($0, in: &connected) } ?? [.sendToUplink(begin.start)]
        case .payload(let bytes, let isLast):
            var actions: [SessionAction] = []
            if connected.up.isForwarded {
                let step = connected.hold?.journal.piece(bytes, isLast: isLast)
                actions = step.map { perform($0, in: &connected) } ?? [.sendToUplink(bytes)]
            }
            guard isLast else { return actions }
            // The replies to the long packet's own sender go the other way, where another long packet may be under way.
            for reply in connected.up.takeDeferred() { actions += toDevice(reply, in: &connected) }
            for held in connected.up.end() { actions.append(.sendToUplink(held)) }
            return actions
        }
    }

    private mutating func deviceSent(_ frame: Frame, in connected: inout Connected) -> [SessionAction] {
        switch frame.type {
        case .disconnect:
            guard connected.hold?.isHeld == true || frame.isFarewell(of: connected.device) else {
                // Whatever the broker makes of it, the device has said that it leaves.
                connected.hasLeft = true
                connected.hold?.journal.forfeit()
                return passUp([connected.device.returning(frame)], in: &connected)
            }
            return disconnected(by: frame, connected.device, leaving: connected.standing)
        case .pingreq where connected.hold?.passesPing() == false:
            return pong(in: &connected)
        case .connect where context.hasRules:
            // It may bring another identity, or a will that no route has seen.
            return violation(.secondConnect, leaving: connected.standing)
        case .connect:
            connected.hasConnectedAgain = true
            connected.hold?.journal.forfeit()
            return passUp([frame.bytes], in: &connected)
        default:
            do {
                let routed = try connected.router.fromDevice(frame)
                var actions = passUp(routed.forward, in: &connected)
                for reply in routed.reply { actions += toDevice(reply, in: &connected) }
                if let refusal = routed.close { actions += refuse(refusal, leaving: connected.standing) }
                return actions
            } catch {
                return violation(error, leaving: connected.standing)
            }
        }
    }

    /// A packet of our own for the device never lands inside one that is passing through in pieces.
    /// Nor is it longer than the device takes [MQTT-3.1.2-24].
    func toDevice(_ bytes: ByteBuffer, in connected: inout Connected) -> [SessionAction] {
        guard bytes.readableBytes <= connected.device.maximumPacketSize ?? .max else { return [] }
        return connected.down.sendOrHold(bytes) ? [.sendToDevice(bytes)] : []
    }

    mutating func toUplink(_ bytes: ByteBuffer, in connected: inout Connected) -> [SessionAction] {
        guard connected.hold == nil else { return passUp([bytes], in: &connected) }
        return connected.up.sendOrHold(bytes) ? [.sendToUplink(bytes)] : []
    }
}

// MARK: - The uplink leg

extension Session {
    /// The leg that `.openUplink` asked for is there. What the broker allows is its CONNACK's matter.
    package mutating func uplinkReady(_ limits: GatewayLimits?) -> [SessionAction] {
        if case .connected(let connected) = state { return returnTo(connected) }
        if case .unread = state { return sendUnreadConnect() }
        if case .reclaimingWill = state { return sendReclaimingConnect() }
        guard case .connecting(var connecting) = state else { return [] }
        connecting.isUplinkReady = true
        return sendConnect(connecting)
    }

    /// The leg could not be made; `why` is a sentence for people.
    package mutating func uplinkUnreachable(_ why: String) -> [SessionAction] {
        switch state {
        case .connected:
            return unreachable(why)
        case .reclaimingWill:
            return reclaimingFailed(.gone)
        case .finishing:
            state = .ended
            return hangUp() + [.stop(.goodbye)]
        case .awaitingConnect, .connecting, .unread, .ended, .taken:
            return end(.uplinkUnreachable(why), uplink: .gone)
        }
    }

    /// A packet of the broker, or a piece of a long one.
    package mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .connecting(let connecting):
            guard case .packet(let frame) = element else { return end(.brokerViolation(.publishBeforeConnack)) }
            return uplinkSent(frame, while: connecting)
        case .connected(var connected):
            state = .taken
            let isReturning = connected.hold?.phase == .returning
            let actions =
                isReturning ? uplinkSentOnReturn(element, in: &connected) : uplinkSent(element, in: &connected)
            if case .taken = state { state = .connected(connected) }
            return actions
        case .unread:
            return uplinkSentUnread(element)
        case .reclaimingWill:
            return uplinkSentWhileReclaiming(element)
        case .finishing:
            return uplinkAnswered(element)
        case .awaitingConnect, .ended, .taken:
            return []
        }
    }

    /// What the broker sent is no MQTT.
    package mutating func uplinkMisbehaved(_ error: MQTTError) -> [SessionAction] {
        if case .reclaimingWill = state { return reclaimingFailed(.open) }
        return end(.brokerViolation(error))
    }

    /// The broker's FIN.
    package mutating func uplinkEnded() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .ended, .taken:
            return []
        case .reclaimingWill:
            return reclaimingFailed(.finished)
        case .finishing:
            state = .ended
            return hangUp() + [.stop(.goodbye), .closeUplink]
        case .connected(let connected) where connected.hold?.phase == .returning:
            return lose("the broker closed the connection before CONNACK", leg: .finished)
        case .connected(let connected) where connected.hold?.mayBeForgotten == true:
            return lose("the broker closed the connection after a long silence", leg: .finished)
        case .connecting, .connected, .unread:
            return end(.brokerClosed, uplink: .finished)
        }
    }

    /// The leg is gone, and nothing more can be sent on it.
    package mutating func uplinkLost(_ loss: UplinkLoss) -> [SessionAction] {
        switch state {
        case .awaitingConnect, .ended, .taken:
            return []
        case .reclaimingWill:
            return reclaimingFailed(.gone)
        case .finishing:
            state = .ended
            return hangUp() + [.stop(.goodbye)]
        case .connected(let connected):
            switch loss {
            case .byBroker(let code?, let description):
                let isPatienceOver =
                    ReasonCode(rawValue: code) == .keepAliveTimeout && connected.hold?.wasSilent == true
                guard !isPatienceOver else { return lose(description, leg: .gone) }
                return end(.brokerDisconnected(code: code), uplink: .gone)
            case .byBroker(nil, let description)
            where connected.hold?.phase == .returning || connected.hold?.mayBeForgotten == true:
                return lose(description, leg: .gone)
            case .byBroker(nil, _):
                return end(.brokerClosed, uplink: .gone)
            case .network(let description):
                return lose(description, leg: .gone)
            }
        case .connecting, .unread:
            switch loss {
            case .byBroker(let code?, _): return end(.brokerDisconnected(code: code), uplink: .gone)
            case .byBroker(nil, _): return end(.brokerClosed, uplink: .gone)
            case .network(let description): return end(.uplinkLost(description), uplink: .gone)
            }
        }
    }
}
