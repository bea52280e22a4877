import MQTTCodec
import NIOCore

/// One device whose CONNECT, PINGREQ and DISCONNECT the bridge answers itself, and whose messages go over a data stream
/// of a gateway session (EMQX). Like ``Session``, it is a pure state machine: an event goes in, actions come out.
///
/// ```
///                                                    path silent, lost: held (see ``Hold``)
///                                                                                +--+
///                                                                                v  |  answered, or another stream
/// awaitingConnect --CONNECT--> authenticating --yes--> connecting --data stream--> connected
///       |                           |  no                  |  none to be had           |  DISCONNECT, either end's
///       +---- bad, refused ---------+----------------------+                           |  close, keepalive, takeover,
///       v                                                                              |  violation, shutdown
///     ended                                                                            |
///                 no will: FIN                                                         |
/// finishing <--------------------------------------------------------------------------+
///   ^  |  broker's FIN, loss, goodbye timeout --> ended                                |
///   |  will sent, acknowledged, FIN               will due, and the stream takes it    |
///   +--------------------------------- publishing <------------------------------------+
///                                          ^                                           |
///          will due, old stream at its end |      delay, or the stream is cut off      |
///              reopening <-----------------+--------- leaving <------------------------+
/// ```
/// A delayed will does not keep the stream: the subscriptions on it would continue to receive messages that no device
/// gets, and a shared subscription would take them from others. The will is published on a new stream.
package struct DataStreamSession: CoreSession {
    /// What only a session that is not connected needs is `indirect`, so that a connected one has no room for it.
    enum State: Sendable {
        case awaitingConnect
        /// The driver checks the password.
        indirect case authenticating(Connect, DeviceFacts)
        /// The session has asked for a data stream.
        indirect case connecting(Connecting)
        /// The device is in its ``slot``.
        case connected
        /// The device leg is gone, and a will is left.
        indirect case leaving(Leaving)
        /// The session has asked for a data stream for the will.
        indirect case reopening(StoredWill, MQTTVersion)
        /// The will is sent, and the broker has to acknowledge it.
        case publishing(Publishing)
        /// FIN is sent, and the broker's FIN has to come.
        case finishing
        case ended
    }

    struct Connecting: Sendable {
        var facts: DeviceFacts
        var router: PacketRouter
        var will: StoredWill?
    }

    struct Leaving: Sendable {
        var will: StoredWill
        var version: MQTTVersion
        /// Whether the old leg has not ended yet: what went up on it comes before the will.
        var isLegOpen: Bool
        var isDue: Bool
    }

    struct Publishing: Sendable {
        var version: MQTTVersion
        var packetID: UInt16
    }

    static var isThroughGateway: Bool { true }

    private(set) var context: DataStreamContext
    var state = State.awaitingConnect {
        didSet { slot.clear() }
    }
    var slot = DeviceSlot()
    var lastWords: LastWords?
    package var hasDeviceFinished = false

    package init(context: DataStreamContext) {
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
        switch state {
        case .awaitingConnect, .authenticating: context.device = context.device.with(rules)
        case .connecting, .connected, .leaving, .reopening, .publishing, .finishing, .ended: break
        }
    }

    package func change(under rules: SessionRules, of identity: SessionIdentity?) -> RulesChange? {
        guard let identity else { return nil }
        let router: PacketRouter?
        switch state {
        case .connecting(let connecting): router = connecting.router
        case .connected: router = device?.router
        case .awaitingConnect, .authenticating, .leaving, .reopening, .publishing, .finishing, .ended: router = nil
        }
        return router.flatMap { context.device.change(under: rules, of: identity, $0.routes) }
    }

    package func started() -> [SessionAction] {
        [.start(.connectPacket, after: context.device.connectWithin)]
    }

    package var acceptsDeviceInput: Bool {
        switch state {
        case .awaitingConnect: true
        case .connected: device?.acceptsDeviceInput ?? false
        case .authenticating, .connecting, .leaving, .reopening, .publishing, .finishing, .ended: false
        }
    }

    package var acceptsUplinkInput: Bool {
        device?.acceptsUplinkInput ?? true
    }

    package var isSending: Bool {
        device?.isHeld != true
    }

    package var isOver: Bool {
        if case .ended = state { true } else { false }
    }
}

// MARK: - The device leg

extension DataStreamSession {
    package mutating func deviceSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        guard case .awaitingConnect = state else { return change { $0.deviceSent(element) } }
        guard case .packet(let frame) = element else { return end(.deviceViolation(.firstPacketNotConnect)) }
        return received(connect: frame)
    }

    package mutating func deviceFinished() -> [SessionAction] {
        hasDeviceFinished = true
        switch state {
        case .authenticating, .connecting:
            // The device's CONNACK is still to come.
            return [.start(.lastWords, after: LastWords.patience)]
        case .awaitingConnect, .connected:
            return end(.deviceVanished)
        case .leaving, .reopening, .publishing, .finishing, .ended:
            return []
        }
    }

    package mutating func takenOver(byContinuation: Bool) -> [SessionAction] {
        switch state {
        case .connecting:
            return end(.takenOver)
        case .connected:
            // MQTT 5 3.1.3.2.2: the session ends with Clean Start; without it, a delayed will is no longer due.
            let isDelayed = device?.gateway?.will.map { $0.delay > 0 } ?? false
            return end(Ending(.takenOver, will: isDelayed && byContinuation ? .discarded : .dueNow))
        case .leaving(let leaving) where !leaving.isDue:
            guard byContinuation else { return willDue(leaving, timer: [.stop(.willDelay)]) }
            state = leaving.isLegOpen ? .finishing : .ended
            return [.stop(.willDelay)]
        case .awaitingConnect, .authenticating, .leaving, .reopening, .publishing, .finishing, .ended:
            // There is no will, or it is already on its way.
            return []
        }
    }
}

// MARK: - The uplink leg

extension DataStreamSession {
    package mutating func uplinkReady(_ limits: GatewayLimits?) -> [SessionAction] {
        guard let limits else { preconditionFailure("a data stream comes with the limits of its gateway session") }
        switch state {
        case .connecting(let connecting):
            return accept(connecting, limits)
        case .reopening(let will, let version):
            return [.stop(.uplinkConnect)] + publish(will, version, packetID: 1)
        case .connected:
            return change { $0.returned(limits) }
        case .awaitingConnect, .authenticating, .leaving, .publishing, .finishing, .ended:
            return []
        }
    }

    package mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .connected:
            break
        case .publishing(let publishing):
            if case .packet(let frame) = element, frame.leadingPacketID == publishing.packetID, frame.type != .publish {
                return uplinkSent(frame, while: publishing)
            }
            return answerLastWords(element).actions
        case .leaving, .finishing:
            return answerLastWords(element).actions
        case .awaitingConnect, .authenticating, .connecting, .reopening, .ended:
            return []
        }
        return change { $0.uplinkSent(element) }
    }
}

// MARK: - Time and shutdown

extension DataStreamSession {
    package mutating func timedOut(_ timer: SessionTimer, detail: String?) -> [SessionAction] {
        switch (timer, state) {
        case (.connectPacket, .awaitingConnect):
            return end(.noConnectPacket)
        case (.uplinkConnect, .authenticating):
            return end(.uplinkUnreachable("the password was not checked within uplink.connect_timeout"))
        case (.uplinkConnect, .connecting), (.uplinkConnect, .reopening):
            let sentence = "no data stream could be opened within uplink.connect_timeout"
            let why = detail.map { "\(sentence); before that: \($0)" } ?? sentence
            return end(.uplinkUnreachable(why), uplink: .useless)
        case (.willDelay, .leaving(let leaving)):
            return willDue(leaving, timer: [])
        case (.goodbye, .leaving), (.goodbye, .finishing):
            return end(.brokerClosed, uplink: .useless)
        case (.goodbye, .publishing):
            return [.note(.willLost("the broker did not acknowledge it in time"))] + finish()
        // No answer came to what the device sent before it shut its sending side down.
        case (.lastWords, .authenticating), (.lastWords, .connecting):
            return end(.unansweredAtTheEnd)
        case (.lastWords, _):
            return hangUp()
        case (_, .connected):
            return change { $0.timedOut(timer, detail) }
        case (_, .awaitingConnect), (_, .authenticating), (_, .connecting), (_, .leaving), (_, .reopening),
            (_, .publishing), (_, .finishing), (_, .ended):
            // The timer fired although what it waited for was already on its way.
            return []
        }
    }

    /// The device is told. Its own will is not published, as in the other mappings; a will that waits for its time is,
    /// because there is no later time for it.
    package mutating func shutDown() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .authenticating, .connecting, .connected: end(.shutdown)
        case .leaving(let leaving) where !leaving.isDue: hangUp() + willDue(leaving, timer: [.stop(.willDelay)])
        case .leaving, .reopening, .publishing, .finishing, .ended: hangUp()
        }
    }
}
