import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

/// The packets that these bytes are.
func packets(_ bytes: ByteBuffer, version: MQTTCodec.MQTTVersion = .v5_0) throws -> [Packet] {
    var decoder = FrameDecoder(
        maximumPacketSize: 1 << 24, streamingThreshold: 1 << 24, maximumBufferedSize: 1 << 24)
    decoder.version = version
    decoder.append(bytes)
    var packets: [Packet] = []
    while let element = try decoder.next() {
        guard case .packet(let frame) = element else { continue }
        packets.append(try Packet.decode(frame, version: version))
    }
    return packets
}

extension [ClientAction] {
    /// The packets that are sent on that stream.
    func sent(on stream: LinkStream = .control, version: MQTTCodec.MQTTVersion = .v5_0) throws -> [Packet] {
        try flatMap { action -> [Packet] in
            guard case .send(let bytes, on: stream) = action else { return [] }
            return try packets(bytes, version: version)
        }
    }

    /// Everything but sent packets.
    var told: [ClientAction] { filter { if case .send = $0 { false } else { true } } }
}

/// Numbers of operations.
func operation(_ number: UInt64) -> ClientOperation { ClientOperation(number: number) }

extension MQTTMessage {
    init(_ topic: String, _ text: String = "x", _ qos: MQTTQoS = .atLeastOnce) {
        self.init(topic: topic, text: text, qos: qos)
    }
}

extension ClientSession {
    /// A session that is connected.
    static func online(
        _ configuration: MQTTClientConfiguration = .test, sessionPresent: Bool = false, _ properties: Properties = [],
        now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) throws -> ClientSession {
        var session = ClientSession(configuration, now: now)
        _ = try session.connectPacket(isReconnect: false)
        _ = session.received(.connack(Connack(properties: properties)), on: .control)
        return session
    }

    /// Subscribes, and returns what is sent.
    mutating func subscribe(_ number: UInt64, _ filters: [String], identifier: UInt32? = nil) throws -> [Packet] {
        try subscribe(
            operation(number), filters.map { MQTTSubscription($0) }, identifier: identifier, userProperties: []
        ).sent()
    }

    mutating func granted(_ packetID: UInt16, _ codes: [UInt8]) -> [ClientAction] {
        received(.suback(Suback(packetID: packetID, codes: codes)), on: .control)
    }

    /// The subscriptions to which a message with these identifiers goes.
    mutating func recipients(_ topic: String, _ identifiers: [UInt32]) -> [UInt64] {
        var properties = Properties()
        properties.subscriptionIdentifiers = identifiers
        let actions = received(
            .publish(PublishHead(topic: topic, properties: properties), payload: ByteBuffer()), on: .control)
        for case .deliver(_, _, let to) in actions { return to.map(\.number) }
        return []
    }

    /// The connection is lost and comes back.
    mutating func reconnect(sessionPresent: Bool) throws -> [ClientAction] {
        connectionLost()
        _ = try connectPacket(isReconnect: true)
        return received(.connack(Connack(sessionPresent: sessionPresent)), on: .control)
    }

    mutating func pump(_ stream: LinkStream = .control, budget: Int = 1 << 20) -> [ClientAction] {
        nextPublishes(on: stream, budget: budget)
    }
}

extension MQTTClientConfiguration {
    /// A session that outlives connections.
    static var test: MQTTClientConfiguration {
        var configuration = MQTTClientConfiguration(host: "broker.example", clientID: "c")
        configuration.sessionExpiry = .seconds(300)
        // Tests that compute may keep the others waiting.
        configuration.connectTimeout = .seconds(60)
        return configuration
    }
}

/// The filters that these packets subscribe to, and, with a minus sign, those that they unsubscribe from.
func filters(_ packets: [Packet]) -> [String] {
    packets.flatMap { packet -> [String] in
        switch packet {
        case .subscribe(let subscribe): subscribe.subscriptions.map(\.filter)
        case .unsubscribe(let unsubscribe): unsubscribe.filters.map { "-" + $0 }
        default: []
        }
    }
}
