import MQTTCodec
import NIOCore

/// The control stream of one gateway connection: the MQTT session to which all data streams of the connection belong,
/// and with which they end. A pure state machine: an event goes in, actions come out.
///
/// ```
/// idle --stream open: CONNECT--> connecting --CONNACK 0--> connected --keepalive: PINGREQ--> connected
///                                    |                         |  |
///                                    | refused, timeout, lost  |  +--shutDown: DISCONNECT, FIN--> finishing
///                                    v                         v                                     | FIN, loss, 10 s
///                                  ended <---- DISCONNECT, FIN, loss, no PINGRESP, violation --------+
/// ```
/// EMQX sends nothing else on the control stream of a client that neither publishes nor subscribes there.
package struct GatewaySession: Sendable {
    /// What the control stream's driver has to do, in the order of the list.
    package enum Action: Sendable, Equatable {
        /// Send these bytes on the control stream.
        case send(ByteBuffer)
        /// Send FIN on the control stream, behind everything sent before.
        case finish
        /// Close the connection with all its streams. Comes once.
        case close
        case start(Timer, after: Duration)
        case stop(Timer)
        /// Data streams may be opened, and have these limits. Comes at most once.
        case ready(GatewayLimits)
        /// No data stream may be opened any more; the ones that exist end with the connection. Comes once.
        case ended(GatewayEnd)
    }

    /// What the session waits for, with a limit on the time.
    package enum Timer: Sendable, Hashable, CaseIterable {
        /// For the broker's CONNACK, and before that for a stream on which to ask for it.
        case connack
        /// Until the next PINGREQ.
        case keepAlive
        /// For the broker's PINGRESP.
        case pingResponse
        /// For the broker's FIN after ours.
        case goodbye
    }

    private enum State: Sendable {
        case idle
        case connecting
        /// The keepalive in force; `nil` if there is none.
        case connected(keepAlive: Duration?)
        case finishing
        case ended
    }

    /// The version of the session's CONNECT, and of all its data streams.
    package let version: MQTTVersion
    /// `<client_id>-<number>`.
    package let clientID: String
    private let identity: GatewayIdentity
    private let connectTimeout: Duration
    private var state = State.idle

    /// A broker that takes longer to send PINGRESP is gone.
    private static let longestPingResponse = Duration.seconds(10)

    /// - Parameters:
    ///   - number: From 1. Two sessions of the gateway that live at the same time never have the same number, whatever
    ///     their version.
    ///   - version: 3.1.1 or 5.0.
    ///   - connectTimeout: From CONNECT to CONNACK.
    package init(identity: GatewayIdentity, number: Int, version: MQTTVersion, connectTimeout: Duration) {
        precondition(version >= .v3_1_1, "EMQX has data streams in sessions of 3.1.1 and 5.0")
        self.identity = identity
        self.version = version
        self.clientID = "\(identity.clientID)-\(number)"
        self.connectTimeout = connectTimeout
    }

    /// Whether the session is over.
    package var isOver: Bool {
        if case .ended = state { true } else { false }
    }

    /// Whether data streams may be opened.
    package var isConnected: Bool {
        if case .connected = state { true } else { false }
    }

    /// The keepalive that the gateway asks for: whole seconds from 1 to 65,535.
    private var keepAliveSeconds: UInt16 { UInt16(clamping: max(1, identity.keepAlive.components.seconds)) }
}

// MARK: - Events

extension GatewaySession {
    /// The broker is verified, and allows no stream yet: `streamOpened()` may follow.
    package func streamAwaited() -> [Action] {
        guard case .idle = state else { return [] }
        return [.start(.connack, after: connectTimeout)]
    }

    /// The control stream is open.
    package mutating func streamOpened() -> [Action] {
        guard case .idle = state else { return [] }
        let connect = Connect(
            version: version, cleanStart: true, keepAlive: keepAliveSeconds, clientID: clientID,
            username: identity.username, password: identity.password.map { ByteBuffer(string: $0.value) })
        do {
            let bytes = try connect.encode()
            state = .connecting
            return [.start(.connack, after: connectTimeout), .send(bytes)]
        } catch {
            return end(.violation(error))
        }
    }

    /// A packet on the control stream.
    package mutating func received(_ element: FrameDecoder.Element) -> [Action] {
        guard case .packet(let frame) = element else {
            return isOver ? [] : end(.violation(.unaskedOnControlStream(.publish)))
        }
        do {
            switch state {
            case .connecting: return try received(frame)
            case .connected(let keepAlive): return try received(frame, keepAlive)
            case .idle, .finishing, .ended: return []
            }
        } catch {
            return end(.violation(error))
        }
    }

    /// What came on the control stream is not MQTT.
    package mutating func misbehaved(_ error: MQTTError) -> [Action] {
        end(.violation(error))
    }

    /// The broker's FIN on the control stream.
    package mutating func streamEnded() -> [Action] {
        end(.closedByBroker)
    }

    /// The control stream was reset, or the connection is gone.
    package mutating func lost(_ loss: UplinkLoss) -> [Action] {
        switch loss {
        case .byBroker(let code?, _): end(Self.end(ofCode: code, reason: nil))
        case .byBroker(nil, _), .closed, .dataStreamRefused: end(.closedByBroker)
        case .network(let description): end(.lost(description))
        }
    }

    /// The timer has run out.
    package mutating func timedOut(_ timer: Timer) -> [Action] {
        switch (timer, state) {
        case (.connack, .idle):
            return end(.noAnswer("the broker allowed no stream within uplink.connect_timeout"))
        case (.connack, .connecting):
            return end(.noAnswer("no CONNACK came within uplink.connect_timeout"))
        case (.keepAlive, .connected(let keepAlive?)):
            return ping(keepAlive)
        case (.pingResponse, .connected):
            return end(.noAnswer("the broker answered no PINGREQ"))
        case (.goodbye, .finishing):
            return end(.shutDown)
        case (.connack, _), (.keepAlive, _), (.pingResponse, _), (.goodbye, _):
            // The timer fired although what it waited for was already on its way.
            return []
        }
    }

    /// The gateway does not need the session any more, or the bridge is shutting down. The devices' streams have ended
    /// before.
    package mutating func shutDown() -> [Action] {
        switch state {
        case .idle, .connecting:
            return end(.shutDown)
        case .connected:
            state = .finishing
            let disconnect = (try? Disconnect().encode(version: version)) ?? ByteBuffer(bytes: [0xE0, 0x00])
            return [
                .stop(.keepAlive), .stop(.pingResponse), .ended(.shutDown), .send(disconnect), .finish,
                .start(.goodbye, after: .goodbye),
            ]
        case .finishing, .ended:
            return []
        }
    }
}

// MARK: - What the broker sends

extension GatewaySession {
    private mutating func received(_ frame: Frame) throws(MQTTError) -> [Action] {
        switch frame.type {
        case .connack:
            let connack = try Connack.decode(frame, version: version)
            guard connack.code == 0 else {
                return end(.refused(code: connack.code, reason: connack.properties.reasonString))
            }
            let seconds = connack.properties.serverKeepAlive ?? keepAliveSeconds
            let keepAlive = seconds == 0 ? nil : Duration.seconds(Int64(seconds))
            state = .connected(keepAlive: keepAlive)
            let timers: [Action] = keepAlive.map { [.start(.keepAlive, after: $0)] } ?? []
            return [.stop(.connack)] + timers + [.ready(GatewayLimits(connack))]
        case .disconnect where version == .v5_0:
            return try disconnected(frame)
        default:
            throw .packetBeforeConnack(frame.type)
        }
    }

    private mutating func received(_ frame: Frame, _ keepAlive: Duration?) throws(MQTTError) -> [Action] {
        switch frame.type {
        case .pingresp:
            return [.stop(.pingResponse)]
        case .disconnect where version == .v5_0:
            return try disconnected(frame)
        default:
            throw .unaskedOnControlStream(frame.type)
        }
    }

    private mutating func disconnected(_ frame: Frame) throws(MQTTError) -> [Action] {
        let disconnect = try Disconnect.decode(frame, version: version)
        return end(Self.end(ofCode: disconnect.reasonCode, reason: disconnect.properties.reasonString))
    }

    private static func end(ofCode code: UInt8, reason: String?) -> GatewayEnd {
        ReasonCode(rawValue: code) == .sessionTakenOver ? .takenOver : .disconnected(code: code, reason: reason)
    }

    /// Sends one PINGREQ per keepalive, whatever else is sent: EMQX ends a connection that sends nothing for one and a
    /// half keepalives, and a stream that waits for flow control sends nothing, however much it has to say.
    private func ping(_ keepAlive: Duration) -> [Action] {
        guard let pingreq = try? Packet.pingreq.encode(version: version) else { return [] }
        return [
            .send(pingreq), .start(.keepAlive, after: keepAlive),
            .start(.pingResponse, after: min(keepAlive / 2, Self.longestPingResponse)),
        ]
    }

    private mutating func end(_ why: GatewayEnd) -> [Action] {
        defer { state = .ended }
        switch state {
        case .idle, .connecting: return [.stop(.connack), .ended(why), .close]
        case .connected: return [.stop(.keepAlive), .stop(.pingResponse), .ended(why), .close]
        case .finishing: return [.stop(.goodbye), .close]
        case .ended: return []
        }
    }
}

extension MQTTError {
    static func unaskedOnControlStream(_ type: PacketType) -> MQTTError {
        let hint = type == .publish ? ": does it subscribe clients by itself (auto_subscribe)?" : ""
        return MQTTError(
            .protocolError, clause: "MQTT 5 2.1.2",
            message: "the broker sent \(type) on the control stream, where the gateway asked for nothing\(hint)")
    }
}
