import BridgeCore
import MQTTCodec
import NIOCore
import TestSupport

/// A broker with one client, as strict as brokers are about packet identifiers, windows and aliases. It publishes a
/// message at QoS 2 when the message comes, as EMQX does, or when it is released, as Mosquitto does, and acknowledges
/// when told to.
package struct SimulatedBroker {
    package struct Message: Equatable {
        package var number: Int
        package var qos: QoS
    }

    private struct Sent {
        var message: Message
        var order: Int
        var isReleased = false
    }

    /// What outlives a connection, if the client asked for that.
    private struct State {
        var subscriptions: [String: QoS] = [:]
        var sent: [UInt16: Sent] = [:]
        var waiting: [Message] = []
        var received: [UInt16: Message] = [:]
        var lastID: UInt16 = 0
        var order = 0
    }

    package let version: MQTTVersion
    package let isStream: Bool
    /// Whether 3.1 asked for no clean session, or 5.0 for an expiry.
    package var isPersistent = true
    package var publishesAtRelease = false
    package var receiveMaximum: UInt16 = .max
    package var aliasMaximum: UInt16 = 0

    package private(set) var published: [Message] = []
    package private(set) var complaints: [String] = []
    package private(set) var lostSessions = 0
    package private(set) var connects: [Connect] = []
    package private(set) var farewell: Disconnect?
    private var state: State?
    private var isConnected = false
    private var keepsSession = false
    private var decoder: FrameDecoder
    private var aliases: [UInt16: String] = [:]
    private var unanswered: [Packet] = []
    private var inFlight: Set<UInt16> = []
    private var inFlightMessages: Set<UInt16> = []
    /// For the client.
    package var output = ByteBuffer()

    package init(_ version: MQTTVersion, isStream: Bool) {
        self.version = version
        self.isStream = isStream
        decoder = Self.decoder(version)
    }

    private static func decoder(_ version: MQTTVersion) -> FrameDecoder {
        var decoder = FrameDecoder(
            maximumPacketSize: 1_000_000, streamingThreshold: 1_000_000, maximumBufferedSize: 1_000_000)
        decoder.version = version
        return decoder
    }

    package var subscriptions: [String: QoS] { state?.subscriptions ?? [:] }
    package var isIdle: Bool { unanswered.isEmpty && output.readableBytes == 0 && state?.sent.isEmpty != false }

    // MARK: The connection

    package mutating func legOpened() {
        decoder = Self.decoder(version)
        output = ByteBuffer()
        aliases = [:]
        unanswered = []
        inFlight = []
        inFlightMessages = []
        farewell = nil
        guard isStream else { return }
        isConnected = true
        state = State()
    }

    package mutating func legClosed() {
        isConnected = false
        unanswered = []
        output = ByteBuffer()
        if !keepsSession || !isPersistent || isStream, state != nil { forget() }
    }

    package mutating func forget() {
        if state != nil { lostSessions += 1 }
        state = nil
    }

    package mutating func receive(_ bytes: ByteBuffer) throws {
        decoder.append(bytes)
        while case .packet(let frame)? = try decoder.next() {
            try receive(Packet.decode(frame, version: version))
        }
    }

    private mutating func receive(_ packet: Packet) throws {
        if !isConnected {
            guard case .connect(let connect) = packet else { return complain("\(packet) before CONNECT") }
            return try accept(connect)
        }
        switch packet {
        case .publish(let head, let payload): publish(head, payload)
        case .puback(let ack): finish(ack.packetID, .atLeastOnce)
        case .pubrec(let ack):
            if state?.sent[ack.packetID]?.message.qos == .exactlyOnce { state?.sent[ack.packetID]?.isReleased = true }
            unanswered.append(.pubrel(PublishAck(packetID: ack.packetID)))
        case .pubcomp(let ack): finish(ack.packetID, .exactlyOnce)
        case .pubrel(let ack):
            if let message = state?.received.removeValue(forKey: ack.packetID), publishesAtRelease {
                published.append(message)
            }
            unanswered.append(.pubcomp(PublishAck(packetID: ack.packetID)))
        case .subscribe(let subscribe):
            claim(subscribe.packetID, packet)
            for subscription in subscribe.subscriptions {
                state?.subscriptions[subscription.filter] = subscription.qos
            }
            unanswered.append(
                .suback(Suback(packetID: subscribe.packetID, codes: subscribe.subscriptions.map(\.qos.rawValue))))
        case .unsubscribe(let unsubscribe):
            claim(unsubscribe.packetID, packet)
            for filter in unsubscribe.filters { state?.subscriptions[filter] = nil }
            let codes: [UInt8] = version == .v5_0 ? unsubscribe.filters.map { _ in 0 } : []
            unanswered.append(.unsuback(Unsuback(packetID: unsubscribe.packetID, codes: codes)))
        case .pingreq: try send(.pingresp)
        case .disconnect(let disconnect):
            farewell = disconnect
            if disconnect.properties.sessionExpiryInterval == 0 { keepsSession = false }
        case .connect, .connack, .suback, .unsuback, .pingresp, .auth: complain("\(packet)")
        }
    }

    private mutating func accept(_ connect: Connect) throws {
        connects.append(connect)
        isConnected = true
        keepsSession =
            version == .v5_0 ? connect.properties.sessionExpiryInterval ?? 0 > 0 : !connect.cleanStart
        if connect.cleanStart { state = nil }
        let isPresent = state != nil
        if state == nil { state = State() }
        var properties = Properties()
        if version == .v5_0 {
            if receiveMaximum < .max { properties.receiveMaximum = receiveMaximum }
            if aliasMaximum > 0 { properties.topicAliasMaximum = aliasMaximum }
        }
        try send(.connack(Connack(sessionPresent: isPresent, properties: properties)))
        for (packetID, sent) in (state?.sent ?? [:]).sorted(by: { $0.value.order < $1.value.order }) {
            try send(
                sent.isReleased ? .pubrel(PublishAck(packetID: packetID)) : delivery(sent, packetID, isAgain: true))
        }
        let waiting = state?.waiting ?? []
        state?.waiting = []
        for message in waiting { try deliver(message) }
    }

    // MARK: Messages of the client

    private mutating func publish(_ head: PublishHead, _ payload: ByteBuffer) {
        var topic = head.topic
        if let alias = head.properties.topicAlias {
            if alias > aliasMaximum { complain("alias \(alias) of \(aliasMaximum)") }
            if topic.isEmpty { topic = aliases[alias] ?? "?" } else { aliases[alias] = topic }
        }
        // The payload: its number, the topic to which it belongs, and anything else.
        let parts = String(buffer: payload).split(separator: " ")
        guard let number = parts.first.flatMap({ Int($0) }), parts.count > 1, parts[1] == topic else {
            return complain("\(String(buffer: payload).prefix(20)) came as \(topic)")
        }
        let message = Message(number: number, qos: head.qos)
        guard let packetID = head.packetID else { return published.append(message) }
        if head.qos == .exactlyOnce {
            if state?.received[packetID] == nil {
                state?.received[packetID] = message
                if !publishesAtRelease { published.append(message) }
            } else if !head.isDuplicate {
                complain("identifier \(packetID) of \(number) is in use")
            }
            unanswered.append(.pubrec(PublishAck(packetID: packetID)))
        } else {
            published.append(message)
            unanswered.append(.puback(PublishAck(packetID: packetID)))
        }
        if !inFlight.insert(packetID).inserted { complain("identifier \(packetID) of \(number) is in flight") }
        inFlightMessages.insert(packetID)
        if inFlightMessages.count > Int(receiveMaximum) { complain("\(inFlightMessages.count) in flight") }
    }

    private mutating func claim(_ packetID: UInt16, _ packet: Packet) {
        if !inFlight.insert(packetID).inserted { complain("\(packet) has an identifier in flight") }
    }

    package mutating func acknowledgeNext() throws {
        guard isConnected, !unanswered.isEmpty else { return }
        let packet = unanswered.removeFirst()
        switch packet {
        case .puback(let ack), .pubcomp(let ack):
            inFlight.remove(ack.packetID)
            inFlightMessages.remove(ack.packetID)
        case .suback(let suback): inFlight.remove(suback.packetID)
        case .unsuback(let unsuback): inFlight.remove(unsuback.packetID)
        default: break
        }
        try send(packet)
    }

    // MARK: Messages for the client

    /// False if the client has not subscribed, or too many are in flight.
    package mutating func deliver(_ message: Message) throws {
        guard var state, !state.subscriptions.isEmpty else { return }
        defer { self.state = state }
        guard isConnected else {
            state.waiting.append(message)
            return
        }
        state.order += 1
        guard message.qos > .atMostOnce else {
            return try send(delivery(Sent(message: message, order: 0), nil, isAgain: false))
        }
        repeat { state.lastID = state.lastID % 12 + 1 } while state.sent[state.lastID] != nil
        let sent = Sent(message: message, order: state.order)
        state.sent[state.lastID] = sent
        try send(delivery(sent, state.lastID, isAgain: false))
    }

    package var hasRoom: Bool { (state?.sent.count ?? 0) + (state?.waiting.count ?? 0) < 11 }
    package var isSubscribed: Bool { !subscriptions.isEmpty }

    private func delivery(_ sent: Sent, _ packetID: UInt16?, isAgain: Bool) -> Packet {
        .publish(
            PublishHead(
                isDuplicate: isAgain, qos: sent.message.qos, topic: subscriptions.keys.sorted().first ?? "x/down",
                packetID: packetID), payload: ByteBuffer(string: "\(sent.message.number)"))
    }

    private mutating func finish(_ packetID: UInt16, _ qos: QoS) {
        guard let sent = state?.sent[packetID], sent.message.qos == qos else {
            return complain("an answer to \(packetID), which is not under way")
        }
        if qos == .exactlyOnce, !sent.isReleased { complain("PUBCOMP before PUBREL") }
        state?.sent[packetID] = nil
    }

    private mutating func send(_ packet: Packet) throws {
        output.writeImmutableBuffer(try packet.encode(version: version))
    }

    package mutating func complain(_ what: String) { complaints.append(what) }
}
