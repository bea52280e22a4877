import DequeModule
import MQTTCodec
import NIOCore

/// An MQTT session from the client's side: what is sent and what is told to the application, whatever happens to the
/// connection. It does no I/O, and is told the time.
///
/// ```
///   offline ── connectPacket ──▶ connecting ── CONNACK, 0 ──▶ online
///      ▲                             │                          │
///      └────── connectionLost ◀──────┴──────────────────────────┘
/// ```
/// PUBLISH packets are not among the actions: the runtime asks for them by ``nextPublishes(on:budget:)`` whenever the
/// link has room. Everything else is sent at once.
///
/// There is one flow, with packet identifiers of its own, for each stream: lane 0 is the control stream, the others are
/// data streams. A lane without a stream uses lane 0.
package struct ClientSession: Sendable {
    enum Phase: Sendable, Equatable {
        case offline, connecting, online
    }

    let configuration: MQTTClientConfiguration
    let version: MQTTCodec.MQTTVersion
    /// The time, for messages that expire.
    let now: @Sendable () -> NIODeadline
    private(set) var phase = Phase.offline
    var limits = MQTTBrokerLimits()
    /// The one that the broker has assigned, if it has.
    var clientID: String
    /// Whether CONNECT asked for a new session.
    var askedCleanStart = true
    /// Whether the broker may have got CONNECT.
    var connectMayHaveArrived = false
    /// Whether the broker may have made a session for a CONNECT whose CONNACK was lost. If it then says that it knows the
    /// session, that may be this one, which has no subscriptions.
    var isSessionDoubtful = false

    package internal(set) var flows: [OutgoingFlow]
    /// The stream of each lane, while there is one.
    var streams: [LinkStream?]
    /// For each lane, how many of its messages are in lane 0. As long as there are some, later ones follow them there,
    /// so that they stay in order.
    package internal(set) var diverted: [Int]
    var lastOrder: UInt64 = 0
    /// How many messages wait to be sent or acknowledged, whether or not a task waits for them.
    package internal(set) var outstandingCount = 0
    /// What they weigh.
    package internal(set) var outstandingBytes = 0

    var incoming: IncomingFlow
    var subscriptions = SubscriptionTable()
    var ledger = FilterLedger()
    /// SUBSCRIBE and UNSUBSCRIBE that wait for a connection, in order.
    var unsentRequests: Deque<FilterRequest> = []
    /// Those that wait for the answer.
    var sentRequests: [UInt16: FilterRequest] = [:]

    /// - Parameter lastPacketID: What an earlier process used last, as far as that can be guessed. The broker may still
    ///   remember a message of QoS 2 of that process, and would take a new one with the same packet identifier for it.
    package init(
        _ configuration: MQTTClientConfiguration, lastPacketID: UInt16 = .random(in: .min ... .max),
        now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.configuration = configuration
        self.now = now
        version = configuration.version.codec
        clientID = configuration.clientID
        let lanes = min(max(0, configuration.dataStreams), MQTTClientConfiguration.mostDataStreams) + 1
        flows = Array(repeating: OutgoingFlow(), count: lanes)
        if !configuration.cleanStart { flows[0].identifiers = PacketIdentifiers(after: lastPacketID) }
        streams = Array(repeating: nil, count: lanes)
        diverted = Array(repeating: 0, count: lanes)
        incoming = IncomingFlow(maximum: version.hasProperties ? Int(configuration.receiveMaximum) : nil)
    }

    mutating func become(_ phase: Phase) { self.phase = phase }

    /// A packet has come.
    package mutating func received(_ packet: Packet, on stream: LinkStream) -> [ClientAction] {
        switch (phase, packet) {
        case (.offline, _): return []
        case (.connecting, .connack(let connack)) where stream == .control: return received(connack)
        case (.connecting, .auth), (.online, .auth):
            return fault(.protocolError, "it sent AUTH, although CONNECT asked for no enhanced authentication")
        case (.connecting, _): return fault(.protocolError, "its first packet is not CONNACK")
        case (.online, _): return receivedOnline(packet, on: stream)
        }
    }

    private mutating func receivedOnline(_ packet: Packet, on stream: LinkStream) -> [ClientAction] {
        switch packet {
        case .puback(let ack): return puback(ack, on: stream)
        case .pubrec(let ack): return pubrec(ack, on: stream)
        case .pubcomp(let ack): return pubcomp(ack, on: stream)
        case .publish(let head, let payload) where stream == .control: return received(head, payload)
        case .pubrel(let ack) where stream == .control: return pubrel(ack)
        case .suback(let suback) where stream == .control: return received(suback)
        case .unsuback(let unsuback) where stream == .control: return received(unsuback)
        case .pingresp: return []
        case .disconnect(let disconnect) where version.hasProperties: return received(disconnect)
        case .publish, .pubrel, .suback, .unsuback:
            return fault(.protocolError, "it sent a packet on a data stream that does not belong there")
        case .connack: return fault(.protocolError, "it sent a second CONNACK")
        case .connect, .subscribe, .unsubscribe, .pingreq, .disconnect, .auth:
            return fault(.protocolError, "it sent a packet that only clients send")
        }
    }

    private func received(_ disconnect: Disconnect) -> [ClientAction] {
        let code = MQTTReasonCode(rawValue: disconnect.reasonCode)
        guard code != .sessionTakenOver else { return [.fail(.sessionTakenOver)] }
        return [
            .fail(
                .disconnectedByBroker(
                    code, reason: disconnect.properties.reasonString,
                    serverReference: disconnect.properties.serverReference))
        ]
    }

    /// The broker's bytes make no sense.
    func malformed(_ error: MQTTError) -> [ClientAction] {
        fault(MQTTReasonCode(rawValue: error.reasonCode.rawValue), error.description)
    }

    /// Tells the broker what it did wrong, if it can be told, and ends the connection (MQTT 5 4.13.1).
    func fault(_ code: MQTTReasonCode, _ detail: String) -> [ClientAction] {
        var actions: [ClientAction] = []
        if phase == .online, version.hasProperties {
            actions += send(.disconnect(Disconnect(reasonCode: code.rawValue)))
        }
        return actions + [.fail(.protocolError(detail: detail))]
    }

    /// A packet of the session's own making. It can be encoded, because everything in it was checked or received.
    func send(_ packet: Packet, on stream: LinkStream = .control) -> [ClientAction] {
        guard let bytes = try? packet.encode(version: version) else { return [] }
        return [.send(bytes, on: stream)]
    }
}
