import MQTTCodec
import NIOCore

/// One device with its two legs, as decisions: an event in, actions out, no input or output of its own.
///
/// ```
/// awaitingConnect --CONNECT--> connecting --CONNACK 0--> connected
///       |                         |                          |  DISCONNECT, either end's close, keepalive,
///       | limit, bad packet,      | refused, unreachable,    |  violation, shutdown
///       | timeout                 | device gone              v
///       |                         +---------------------> finishing   (device leg closed, the broker's FIN awaited)
///       v                                                    |
///     ended <----------- FIN, loss, goodbye timeout ---------+
/// ```
package struct Session: DeviceSession {
    enum State: Sendable {
        case awaitingConnect
        case connecting(Connecting)
        case connected(Connected)
        case finishing
        case ended
        /// Only while one of the methods below works on what the other cases hold, so that it is changed in place.
        case taken
    }

    /// CONNECT is known, the broker's CONNACK is not.
    struct Connecting: Sendable {
        var device: DeviceFacts
        /// To be sent once the uplink leg is there; `nil` when it has been.
        var connect: ByteBuffer?
        var router: PacketRouter
        /// The broker asked with AUTH (5.0 4.12): the device's AUTH may pass before CONNACK.
        var isAuthenticating = false
    }

    struct Connected: Sendable {
        var device: DeviceFacts
        var router: PacketRouter
        var up = PacketStream()
        var down = PacketStream()
    }

    /// What of CONNECT matters later.
    struct DeviceFacts: Sendable {
        var version: MQTTVersion
        /// Seconds; 0 is none.
        var keepAlive: UInt16
        /// The bridge chose the client id, so a 5.0 device has to be told.
        var assignedClientID: String?
    }

    let context: SessionContext
    var state = State.awaitingConnect

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
        case .awaitingConnect, .connected: true
        case .connecting(let connecting): connecting.isAuthenticating
        case .finishing, .ended, .taken: false
        }
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
        case .finishing, .ended, .taken:
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
        end(.deviceVanished)
    }

    private mutating func deviceSent(_ frame: Frame, while connecting: Connecting) -> [SessionAction] {
        switch frame.type {
        case .auth where connecting.isAuthenticating: [.sendToUplink(frame.bytes)]
        case .disconnect: end(.deviceDisconnected, uplinkFarewell: frame.bytes)
        default: violation(.beforeConnack)
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
                return routed.head.map { [.sendToUplink($0)] } ?? []
            } catch {
                return violation(error, leaving: connected.standing)
            }
        case .payload(let bytes, let isLast):
            var actions: [SessionAction] = connected.up.isForwarded ? [.sendToUplink(bytes)] : []
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
            return end(.deviceDisconnected, leaving: connected.standing, uplinkFarewell: frame.bytes)
        case .connect:
            return violation(.secondConnect, leaving: connected.standing)
        case .connack, .suback, .unsuback, .pingresp:
            return violation(.serverPacketFromClient(frame.type), leaving: connected.standing)
        default:
            do {
                let routed = try connected.router.fromDevice(frame)
                var actions: [SessionAction] = []
                for bytes in routed.forward { actions.append(.sendToUplink(bytes)) }
                for reply in routed.reply { actions += toDevice(reply, in: &connected) }
                if let refusal = routed.close { actions += refuse(refusal, leaving: connected.standing) }
                return actions
            } catch {
                return violation(error, leaving: connected.standing)
            }
        }
    }

    /// A packet of our own for the device never lands inside one that is passing through in pieces.
    private func toDevice(_ bytes: ByteBuffer, in connected: inout Connected) -> [SessionAction] {
        connected.down.sendOrHold(bytes) ? [.sendToDevice(bytes)] : []
    }

    private func toUplink(_ bytes: ByteBuffer, in connected: inout Connected) -> [SessionAction] {
        connected.up.sendOrHold(bytes) ? [.sendToUplink(bytes)] : []
    }
}

// MARK: - The uplink leg

extension Session {
    /// The leg that `.openUplink` asked for is there. What the broker allows is its CONNACK's matter.
    package mutating func uplinkReady(_ limits: GatewayLimits?) -> [SessionAction] {
        guard case .connecting(var connecting) = state, let connect = connecting.connect else { return [] }
        connecting.connect = nil
        state = .connecting(connecting)
        return [.sendToUplink(connect)]
    }

    /// The leg could not be made; `why` is a sentence for people.
    package mutating func uplinkUnreachable(_ why: String) -> [SessionAction] {
        end(.uplinkUnreachable(why))
    }

    /// A packet of the broker, or a piece of a long one.
    package mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        switch state {
        case .connecting(let connecting):
            guard case .packet(let frame) = element else { return end(.brokerViolation(.publishBeforeConnack)) }
            return uplinkSent(frame, while: connecting)
        case .connected(var connected):
            state = .taken
            let actions = uplinkSent(element, in: &connected)
            if case .taken = state { state = .connected(connected) }
            return actions
        case .awaitingConnect, .finishing, .ended, .taken:
            // The device is gone already; what the broker still says has nowhere to go.
            return []
        }
    }

    /// What the broker sent is no MQTT.
    package mutating func uplinkMisbehaved(_ error: MQTTError) -> [SessionAction] {
        end(.brokerViolation(error))
    }

    /// The broker's FIN.
    package mutating func uplinkEnded() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .ended, .taken:
            return []
        case .finishing:
            state = .ended
            return [.stop(.goodbye), .closeUplink]
        case .connecting, .connected:
            return end(.brokerClosed, uplink: .finished)
        }
    }

    /// The leg is gone, and nothing more can be sent on it.
    package mutating func uplinkLost(_ loss: UplinkLoss) -> [SessionAction] {
        switch state {
        case .awaitingConnect, .ended, .taken:
            return []
        case .finishing:
            state = .ended
            return [.stop(.goodbye)]
        case .connecting, .connected:
            switch loss {
            case .byBroker(let code?, _): return end(.brokerDisconnected(code: code), uplink: .gone)
            case .byBroker(nil, _): return end(.brokerClosed, uplink: .gone)
            case .network(let description): return end(.uplinkLost(description), uplink: .gone)
            }
        }
    }

    private mutating func uplinkSent(
        _ element: FrameDecoder.Element, in connected: inout Connected
    ) -> [SessionAction] {
        switch element {
        case .packet(let frame):
            return uplinkSent(frame, in: &connected)
        case .publishBegin(let begin):
            do {
                let routed = try connected.router.fromBroker(begin)
                if let refusal = routed.close {
                    return end(.brokerViolation(.broken(refusal)), leaving: connected.standing)
                }
                connected.down.begin(isForwarded: routed.head != nil, deferred: routed.reply)
                return routed.head.map { [.sendToDevice($0)] } ?? []
            } catch {
                return end(.brokerViolation(error), leaving: connected.standing)
            }
        case .payload(let bytes, let isLast):
            var actions: [SessionAction] = connected.down.isForwarded ? [.sendToDevice(bytes)] : []
            guard isLast else { return actions }
            for reply in connected.down.takeDeferred() { actions += toUplink(reply, in: &connected) }
            for held in connected.down.end() { actions.append(.sendToDevice(held)) }
            return actions
        }
    }

    private mutating func uplinkSent(_ frame: Frame, in connected: inout Connected) -> [SessionAction] {
        switch frame.type {
        case .disconnect:
            return brokerDisconnected(frame, in: connected)
        case .connect, .connack, .subscribe, .unsubscribe, .pingreq:
            return end(.brokerViolation(.clientPacketFromServer(frame.type)), leaving: connected.standing)
        default:
            do {
                let routed = try connected.router.fromBroker(frame)
                var actions: [SessionAction] = []
                for bytes in routed.forward { actions.append(.sendToDevice(bytes)) }
                for reply in routed.reply { actions += toUplink(reply, in: &connected) }
                if let refusal = routed.close {
                    actions += end(.brokerViolation(.broken(refusal)), leaving: connected.standing)
                }
                return actions
            } catch {
                return end(.brokerViolation(error), leaving: connected.standing)
            }
        }
    }

    /// The same packet for the device, then the close ([MQTT-3.14.4-3]).
    private mutating func brokerDisconnected(_ frame: Frame, in connected: Connected) -> [SessionAction] {
        let code = (try? Disconnect.decode(frame, version: connected.device.version))?.reasonCode ?? 0
        return end(.brokerDisconnected(code: code), leaving: connected.standing, deviceFarewell: frame.bytes)
    }
}

// MARK: - Time and shutdown

extension Session {
    /// `detail` is what else is known of why it took too long.
    package mutating func timedOut(_ timer: SessionTimer, detail: String? = nil) -> [SessionAction] {
        switch (timer, state) {
        case (.connectPacket, .awaitingConnect):
            return end(.noConnectPacket)
        case (.uplinkConnect, .connecting(let connecting)):
            let stage = connecting.connect == nil ? "no CONNACK came" : "no QUIC connection was made"
            let sentence = "\(stage) within uplink.connect_timeout"
            return end(.uplinkUnreachable(detail.map { "\(sentence); before that: \($0)" } ?? sentence))
        case (.keepAlive, .connected):
            return end(.keepAliveExpired)
        case (.goodbye, .finishing):
            state = .ended
            return [.closeUplink]
        case (.connectPacket, _), (.uplinkConnect, _), (.keepAlive, _), (.goodbye, _), (.willDelay, _),
            (.hold, _):
            // The timer ran out while what it waited for was already on its way to us.
            return []
        }
    }

    /// SIGTERM: both sides are told, then the broker's FIN is awaited.
    package mutating func shutDown() -> [SessionAction] {
        switch state {
        case .awaitingConnect, .connecting, .connected: end(.shutdown)
        case .finishing, .ended, .taken: []
        }
    }
}
