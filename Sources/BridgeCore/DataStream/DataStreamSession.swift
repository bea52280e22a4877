import MQTTCodec
import NIOCore

/// One device whose CONNECT, PINGREQ and DISCONNECT the bridge answers itself, and whose messages go over a data stream
/// of a gateway session (EMQX): an event in, actions out, as in ``Session``.
///
/// ```
///                                                         silent, lost: held (see ``Hold``)
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
/// A will that is delayed does not keep the stream: the subscriptions on it would go on taking messages that nobody
/// gets, a shared subscription's from others. It is published on a fresh one.
package struct DataStreamSession: DeviceSession {
    enum State: Sendable {
        case awaitingConnect
        /// The driver checks the password.
        indirect case authenticating(Connect, DeviceFacts)
        /// The data stream is asked for.
        case connecting(Connecting)
        case connected(Connected)
        /// The device leg is gone, a will is left.
        case leaving(Leaving)
        /// A data stream for the will is asked for.
        case reopening(StoredWill, MQTTVersion)
        /// The will is sent, and the broker's acknowledgement awaited.
        case publishing(Publishing)
        /// FIN is sent, the broker's awaited.
        case finishing
        case ended
        /// Only while one of the methods below works on what the other cases hold, so that it is changed in place.
        case taken
    }

    /// What of CONNECT matters later.
    struct DeviceFacts: Sendable {
        var version: MQTTVersion
        /// Seconds; 0 is none.
        var keepAlive: UInt16
        /// The bridge chose the client id, so a 5.0 device has to be told.
        var assignedClientID: String?
        /// Seconds, as the device asked for.
        var sessionExpiry: UInt32
        /// Bytes of a packet that the device takes; `nil` is no limit.
        var maximumPacketSize: UInt32?
        /// Of the device.
        var receiveMaximum: UInt16?
        /// Whether acknowledgements may carry reason strings and user properties (MQTT 5 3.1.2.11.7).
        var takesProblemInformation: Bool
    }

    struct Connecting: Sendable {
        var device: DeviceFacts
        var router: PacketRouter
        var will: StoredWill?
    }

    struct Connected: Sendable {
        let version: MQTTVersion
        let limits: GatewayLimits
        let maximumPacketSize: UInt32?
        let takesProblemInformation: Bool
        /// CONNECT asked for no session that outlives it (5.0).
        let hasNoExpiry: Bool
        var router: PacketRouter
        var up = PacketStream()
        var down = PacketStream()
        /// `nil` where the device set no Receive Maximum.
        var window: DeliveryWindow?
        /// QoS 2 deliveries that were too large for the device, until their PUBREL. At most 65,535.
        var discarded: Set<UInt16> = []
        var will: StoredWill?
        /// Packet identifiers that the broker has not answered yet; kept only where a will at QoS 1 or 2 needs one that
        /// is none of them. At most 65,535.
        var usedIDs: Set<UInt16>?
        /// `nil`: the session ends with its stream.
        var hold: Hold?
    }

    struct Leaving: Sendable {
        var will: StoredWill
        var version: MQTTVersion
        /// The old leg's end is awaited: what went up on it comes before the will.
        var isLegOpen: Bool
        var isDue: Bool
    }

    struct Publishing: Sendable {
        var version: MQTTVersion
        var packetID: UInt16
    }

    let context: DataStreamContext
    var state = State.awaitingConnect
    /// What the device may still hear, while its leg is open and the session is ending.
    var lastWords: LastWords<Connected>?
    /// The device sends no more, and may still read.
    var hasDeviceFinished = false

    package init(context: DataStreamContext) {
        self.context = context
    }

    /// The version that the broker's side of such a device speaks: 3.1 differs from 3.1.1 in CONNECT only, and in bits
    /// that it leaves undefined.
    static func streamVersion(_ version: MQTTVersion) -> MQTTVersion { version == .v5_0 ? .v5_0 : .v3_1_1 }

    package func started() -> [SessionAction] {
        [.start(.connectPacket, after: context.device.connectWithin)]
    }

    package var acceptsDeviceInput: Bool {
        switch state {
        case .awaitingConnect: true
        case .connected(let connected): connected.acceptsDeviceInput
        case .authenticating, .connecting, .leaving, .reopening, .publishing, .finishing, .ended, .taken: false
        }
    }

    package var acceptsUplinkInput: Bool {
        switch state {
        case .connected(let connected):
            // A long delivery that has begun is let in to its end. Where nothing is read of the device, what it is
            // behind with can't come, and what the broker says behind the delivery may be what that waits for.
            connected.window?.isFull != true || connected.down.isInsidePacket || !connected.acceptsDeviceInput
        case .awaitingConnect, .authenticating, .connecting, .leaving, .reopening, .publishing, .finishing, .ended,
            .taken:
            true
        }
    }

    package var isSending: Bool {
        if case .connected(let connected) = state { connected.hold?.isHeld != true } else { true }
    }

    package var isOver: Bool {
        if case .ended = state { true } else { false }
    }
}

// MARK: - The device leg

extension DataStreamSession {
    package mutating func deviceSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .awaitingConnect:
            guard case .packet(let frame) = element else {
                return turnAway(.deviceViolation(.firstPacketNotConnect))
            }
            return received(connect: frame)
        case .connected(var connected):
            state = .taken
            let actions = deviceSent(element, in: &connected)
            if case .taken = state { state = .connected(connected) }
            return actions
        case .authenticating, .connecting, .leaving, .reopening, .publishing, .finishing, .ended, .taken:
            return []
        }
    }

    package mutating func deviceMisbehaved(_ error: MQTTError, start: ByteBuffer) -> [SessionAction] {
        if case .awaitingConnect = state, let guess = ForeignProtocol.guess(start) { return turnAway(.notMQTT(guess)) }
        return end(.deviceViolation(error))
    }

    package mutating func deviceClosed() -> [SessionAction] {
        guard lastWords == nil else {
            lastWords = nil
            return [.stop(.lastWords)]
        }
        return end(.deviceVanished)
    }

    package mutating func takenOver(byContinuation: Bool) -> [SessionAction] {
        switch state {
        case .connecting:
            return end(.takenOver)
        case .connected(let connected):
            // MQTT 5 3.1.3.2.2: the session ends with Clean Start; without it, a delayed will is no more due.
            let isDelayed = connected.will.map { $0.delay > 0 } ?? false
            return leave(connected, .takenOver, will: isDelayed && byContinuation ? .discarded : .dueNow)
        case .leaving(let leaving) where !leaving.isDue:
            guard byContinuation else { return willDue(leaving, timer: [.stop(.willDelay)]) }
            state = leaving.isLegOpen ? .finishing : .ended
            return [.stop(.willDelay)]
        case .awaitingConnect, .authenticating, .leaving, .reopening, .publishing, .finishing, .ended, .taken:
            // Its will is on its way.
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
        case .connected(let connected):
            return returnTo(connected, limits)
        case .awaitingConnect, .authenticating, .leaving, .publishing, .finishing, .ended, .taken:
            return []
        }
    }

    package mutating func uplinkUnreachable(_ why: String) -> [SessionAction] {
        if case .connected(let connected) = state { return unreachable(why, connected) }
        return end(.uplinkUnreachable(why), uplink: .gone)
    }

    package mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .connected(var connected):
            state = .taken
            let actions = uplinkSent(element, in: &connected)
            if case .taken = state { state = .connected(connected) }
            return actions
        case .publishing(let publishing):
            if case .packet(let frame) = element, frame.leadingPacketID == publishing.packetID, frame.type != .publish {
                return uplinkSent(frame, while: publishing)
            }
            return uplinkAnswered(element)
        case .leaving, .finishing:
            return uplinkAnswered(element)
        case .awaitingConnect, .authenticating, .connecting, .reopening, .ended, .taken:
            return []
        }
    }

    package mutating func uplinkMisbehaved(_ error: MQTTError) -> [SessionAction] {
        end(.brokerViolation(error), uplink: .useless)
    }

    package mutating func uplinkEnded() -> [SessionAction] {
        end(.brokerClosed, uplink: .useless)
    }

    package mutating func uplinkLost(_ loss: UplinkLoss) -> [SessionAction] {
        switch loss {
        case .byBroker(let code?, _): end(.brokerDisconnected(code: code), uplink: .gone)
        case .byBroker(nil, _): end(.brokerClosed, uplink: .gone)
        case .network(let description): lose(description)
        }
    }
}

// MARK: - Time and shutdown

extension DataStreamSession {
    package mutating func timedOut(_ timer: SessionTimer, detail: String?) -> [SessionAction] {
        switch (timer, state) {
        case (.connectPacket, .awaitingConnect):
            return turnAway(.noConnectPacket)
        case (.uplinkConnect, .authenticating):
            return end(.uplinkUnreachable("the password was not checked within uplink.connect_timeout"))
        case (.uplinkConnect, .connecting), (.uplinkConnect, .reopening):
            let sentence = "no data stream was to be had within uplink.connect_timeout"
            let why = detail.map { "\(sentence); before that: \($0)" } ?? sentence
            return end(.uplinkUnreachable(why), uplink: .useless)
        case (.keepAlive, .connected):
            return end(.keepAliveExpired)
        case (.hold, .connected(let connected)):
            guard let hold = connected.hold, hold.isHeld else { return [] }
            return end(.holdExpired(detail.map { "\(hold.why); \($0)" } ?? hold.why), uplink: .useless)
        case (.willDelay, .leaving(let leaving)):
            return willDue(leaving, timer: [])
        case (.lastWords, _):
            return lastWordsTimedOut()
        case (.goodbye, .leaving), (.goodbye, .finishing):
            return end(.brokerClosed, uplink: .useless)
        case (.goodbye, .publishing):
            return [.note(.willLost("the broker did not acknowledge it in time"))] + finish()
        case (.connectPacket, _), (.uplinkConnect, _), (.keepAlive, _), (.goodbye, _), (.willDelay, _),
            (.hold, _), (.brokerPatience, _), (.retry, _), (.predecessor, _):
            // The timer ran out while what it waited for was already on its way to us.
            return []
        }
    }

    /// SIGTERM: the device is told. Its own will is not published, as in the other mappings; one that waits for its
    /// time is, for this is the last.
    package mutating func shutDown() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .authenticating, .connecting, .connected: end(.shutdown)
        case .leaving(let leaving) where !leaving.isDue: hangUp() + willDue(leaving, timer: [.stop(.willDelay)])
        case .leaving, .reopening, .publishing, .finishing, .ended, .taken: hangUp()
        }
    }
}
