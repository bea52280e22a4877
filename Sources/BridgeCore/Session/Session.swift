import MQTTCodec
import NIOCore

/// One device with its two legs as a pure state machine: an event goes in, actions come out, and nothing is read or
/// written.
///
/// ```
///                                                   path silent, lost, busy: held (see ``Hold``)
///                                                           +---+
///                                                           v   |  answered, or on another leg CONNACK 0
/// awaitingConnect --CONNECT--> connecting --CONNACK 0--> connected
///       |                         |                          |  DISCONNECT, either end's close, keepalive,
///       | limit, bad packet,      | refused, unreachable,    |  violation, shutdown, hold time over
///       | timeout                 | device gone              v
///       |                         +---------------------> finishing   (the broker's FIN awaited)
///       v                                                    |  (the broker's answers still go to a device that
///       |                                                    |   sends no more: see ``LastWords``)
///     ended <----------- FIN, loss, goodbye timeout ---------+
///       ^                                                    |
///       +--------- held, and there is no leg -----------(connected)
/// ```
/// The broker sees the device itself, and judges what it sends: a packet whose frame is sound goes to the broker as it
/// came, unless a rule of the bridge needs something that can't be read in it. A CONNECT that can't be read goes there
/// too, if no rule needs it; from then on the session is `unread`, and passes frames both ways (``Unread``).
///
/// While a session is held, its ``Journal`` keeps what the device sends, PINGREQ is answered here, and DISCONNECT ends
/// the session at once. If the leg is only suspended, everything that waits goes out on it before the end, in case the
/// broker answers after all. If the leg is lost, the broker can't be told: the device has not been told either of
/// anything that the broker has not acknowledged, and the broker publishes the will, as after every lost connection.
///
/// A delivery that the loss cut off in the middle can't be completed, and nothing else can be sent in its place: the
/// device's connection is closed without a farewell.
package struct Session: CoreSession {
    /// What only a session under way to being connected needs is `indirect`, so that a connected one has no room for it.
    enum State: Sendable {
        case awaitingConnect
        indirect case connecting(Connecting)
        /// The device is in its ``slot``.
        case connected
        /// The session is connecting or connected, with a CONNECT that only the broker may be able to read.
        indirect case unread(Unread)
        /// The device has been told of its end, and the broker has to be asked for its will. Holds CONNECT until it is
        /// sent.
        indirect case reclaimingWill(ByteBuffer?)
        /// Both sides have been told of the end, and the leg's end is awaited. If the broker could not be told of the will,
        /// it has to be asked for it then.
        indirect case finishing(reclaiming: Reclaim?)
        case ended
    }

    /// CONNECT has come, and the broker's CONNACK has not.
    struct Connecting: Sendable {
        var facts: DeviceFacts
        /// The CONNECT to send once the uplink leg is there and no earlier session has the client id; `nil` once it has
        /// been sent.
        var connect: ByteBuffer?
        var isUplinkReady = false
        /// Whether no earlier session with the client id is still ending.
        var isClientIDFree = false
        var router: PacketRouter
        /// Whether the broker asked with AUTH (5.0 4.12), so that the device's AUTH may pass before CONNACK.
        var isAuthenticating = false
        /// CONNECT as it would be repeated, if the session may outlive its leg.
        var repeated: ByteBuffer?
        /// The topic of the device's retained will, as the broker has it.
        var retainedWill: String?
        /// See ``Hold/StrayConnect``.
        var hasStrayConnect = false
    }

    static var isThroughGateway: Bool { false }

    private(set) var context: SessionContext
    var state = State.awaitingConnect {
        didSet { slot.clear() }
    }
    var slot = DeviceSlot()
    var lastWords: LastWords?
    package var hasDeviceFinished = false
    /// Whether the broker was asked to keep the session for one more second.
    var lingersAtBroker = false
    /// Whether the last packet for the broker has gone out, and says that the session ends.
    var hasSaidGoodbye = false
    /// How long the broker keeps the session, which is over here, unless it has read that packet; 0 if the device itself
    /// asked for as long.
    var secondsUntold: UInt32 = 0

    package init(context: SessionContext) {
        self.context = context
    }

    mutating func connect(_ device: ConnectedDevice) {
        state = .connected
        slot.put(device)
    }

    mutating func becomeOver() {
        state = .ended
    }

    package mutating func adopt(_ rules: SessionRules) {
        if case .awaitingConnect = state { context = context.with(rules) }
    }

    package func change(under rules: SessionRules, of identity: SessionIdentity?) -> RulesChange? {
        guard let identity else { return nil }
        switch state {
        case .connecting(let connecting): return context.change(under: rules, of: identity, connecting.router.routes)
        case .connected: return device.flatMap { context.change(under: rules, of: identity, $0.router.routes) }
        // Rules need what can't be read.
        case .unread: return rules.isEmpty ? nil : rules.identities.isEmpty ? .topics : .identity
        case .awaitingConnect, .reclaimingWill, .finishing, .ended: return nil
        }
    }

    package func started() -> [SessionAction] {
        [.start(.connectPacket, after: context.connectWithin)]
    }

    package var acceptsDeviceInput: Bool {
        switch state {
        case .awaitingConnect: true
        case .connecting(let connecting): connecting.isAuthenticating
        case .connected: device?.acceptsDeviceInput ?? false
        case .unread(let unread): unread.isAnswered
        case .reclaimingWill, .finishing, .ended: false
        }
    }

    /// What other devices published comes from the broker as they sent it.
    package var reading: (device: Reading, uplink: Reading) { (.lenient, .lenientMessages) }

    package var isSending: Bool {
        device?.isHeld != true
    }

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
            // The device's CONNACK is still to come.
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
    package mutating func uplinkMisbehaved(_ error: MQTTError) -> [SessionAction] {
        // The leg may still carry the last packets of the device and its DISCONNECT: it is left to drain.
        if case .finishing = state { return hangUp() }
        return end(.brokerViolation(error), uplink: .useless)
    }

    /// `limits` is not used, because the broker's CONNACK says what it allows.
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

    package mutating func uplinkSentAgain() -> [SessionAction] {
        switch state {
        case .connecting(var connecting):
            connecting.hasStrayConnect = true
            state = .connecting(connecting)
            return [.start(.uplinkConnect, after: context.connectTimeout)]
        case .connected:
            let timeout = context.connectTimeout
            return change { device in
                device.hold?.giveUpConnect()
                return device.awaitConnackAgain(within: timeout)
            }
        case .awaitingConnect, .unread, .reclaimingWill, .finishing, .ended:
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
        if case .finishing(_?) = state, case .packet(let frame) = element, frame.type == .disconnect {
            // What the broker has against the device counts, even if nobody is there to hear it.
            let code = (try? Disconnect.decode(frame, version: .v5_0))?.reasonCode ?? 0
            if !SessionEnd.brokerDisconnected(code: code).leavesWillBehind { state = .finishing(reclaiming: nil) }
        }
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
            let isConnectSent = connecting.connect == nil
            guard isConnectSent || !connecting.isUplinkReady else { return end(.predecessorStays) }
            let stage = isConnectSent ? "no CONNACK came" : "no QUIC connection was made"
            let sentence = "\(stage) within uplink.connect_timeout"
            return end(.uplinkUnreachable(detail.map { "\(sentence); before that: \($0)" } ?? sentence))
        case (.predecessor, .connecting):
            return clientIDIsFree()
        case (.uplinkConnect, .unread(let unread)) where !unread.isAnswered:
            return end(.uplinkUnreachable(detail ?? "no answer to CONNECT came within uplink.connect_timeout"))
        case (.uplinkConnect, .reclaimingWill):
            return reclaimingFailed(.open)
        case (.goodbye, .finishing(let reclaiming?)):
            return goOn(reclaiming)
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
            // The timer fired although what it waited for was already on its way.
            return []
        }
    }

    /// Both sides are told, then the broker's FIN is awaited.
    package mutating func shutDown() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .connecting, .connected, .unread: end(.shutdown)
        case .reclaimingWill: reclaimingFailed(.open)
        case .finishing: finishAtShutdown()
        case .ended: []
        }
    }

    private mutating func finishAtShutdown() -> [SessionAction] {
        state = .finishing(reclaiming: nil)
        return hangUp()
    }
}
