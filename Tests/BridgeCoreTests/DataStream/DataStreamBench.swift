import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// One data-stream session fed with packets.
struct DataStreamBench {
    var session: DataStreamSession
    let version: MQTTVersion

    init(
        _ version: MQTTVersion = .v5_0, routes: [Route] = [], unrouted: UnroutedPolicy = .reject,
        versions: GatewayIdentity.Version = .any, allowsAnonymous: Bool = true, packetSize: Int = 10_000_000,
        hold: HoldPolicy? = nil, overLimit: String? = nil
    ) throws {
        self.version = version
        let device = SessionContext(
            routes: try RoutingTable(routes: routes, unrouted: unrouted),
            identities: try IdentityMapper(AuthConfiguration(mode: .local)), maximumPacketSize: packetSize,
            connectWithin: .seconds(5), connectTimeout: .seconds(7), listener: "lan", peer: "192.0.2.7",
            makeClientID: { "mqb0123456789abcdef" }, hold: hold, overLimit: overLimit)
        session = DataStreamSession(
            context: DataStreamContext(device: device, versions: versions, allowsAnonymous: allowsAnonymous))
    }

    mutating func device(_ packet: Packet) throws -> [SessionAction] {
        session.deviceSent(.packet(try Frame(packet: try packet.encode(version: version), version: version)))
    }

    mutating func broker(_ packet: Packet) throws -> [SessionAction] {
        let stream = version.onDataStream
        return session.uplinkSent(.packet(try Frame(packet: try packet.encode(version: stream), version: stream)))
    }

    func connect(_ change: (inout Connect) -> Void = { _ in }) -> Packet {
        var connect = Connect(version: version, clientID: "dev")
        change(&connect)
        return .connect(connect)
    }

    /// Brings the session to `connected`, and returns what the device was told.
    @discardableResult
    mutating func establish(
        _ limits: GatewayLimits = GatewayLimits(), _ change: (inout Connect) -> Void = { _ in }
    ) throws -> Connack {
        var connect = Connect(version: version, clientID: "dev")
        change(&connect)
        _ = try device(.connect(connect))
        if connect.username != nil { _ = session.authenticated(true) }
        let actions = session.uplinkReady(limits)
        try #require(session.acceptsDeviceInput)
        return try connack(actions)
    }

    func connack(_ actions: [SessionAction]) throws -> Connack {
        try Connack.decode(
            try Frame(packet: try #require(actions.toDevice.first), version: version), version: version)
    }

    /// What goes to the broker, decoded: whole packets.
    func up(_ actions: [SessionAction]) throws -> [Packet] {
        try packets(actions.toUplink, version.onDataStream)
    }

    /// What goes to the device, decoded: whole packets.
    func down(_ actions: [SessionAction]) throws -> [Packet] {
        try packets(actions.toDevice, version)
    }

    private func packets(_ buffers: [ByteBuffer], _ version: MQTTVersion) throws -> [Packet] {
        var decoder = FrameDecoder(maximumPacketSize: 1_000_000, maximumBufferedSize: 1_000_000)
        decoder.version = version
        for buffer in buffers { decoder.append(buffer) }
        var packets: [Packet] = []
        while case .packet(let frame)? = try decoder.next() {
            packets.append(try Packet.decode(frame, version: version))
        }
        try #require(decoder.bufferedBytes == 0)
        return packets
    }

    /// The reason code of the DISCONNECT that the device is sent.
    func farewell(_ actions: [SessionAction]) throws -> UInt8? {
        for packet in try down(actions) {
            if case .disconnect(let disconnect) = packet { return disconnect.reasonCode }
        }
        return nil
    }

    /// The beginning of a PUBLISH of 100,000 bytes of payload.
    func streamed(
        _ topic: String, _ qos: QoS = .atMostOnce, _ id: UInt16? = nil, again isDuplicate: Bool = false
    ) throws -> FrameDecoder.Element {
        let publish = PublishHead(isDuplicate: isDuplicate, qos: qos, topic: topic, packetID: id)
        let head = try publish.encode(version: version, payloadLength: 100_000)
        let flags = qos.rawValue << 1 | (isDuplicate ? 0b1000 : 0)
        return .publishBegin(StreamedPublish(head: head, flags: flags, publish: publish, payloadLength: 100_000))
    }
}

extension [SessionAction] {
    var opensDataStream: MQTTVersion? {
        lazy.compactMap { if case .openDataStream(let version) = $0 { version } else { nil } }.first
    }
    var notes: [SessionNote] { compactMap { if case .note(let note) = $0 { note } else { nil } } }
    var lingers: Duration? {
        lazy.compactMap { if case .linger(let time) = $0 { time } else { nil } }.first
    }
    var idleLimit: Duration?? {
        lazy.compactMap { if case .connected(let idleLimit) = $0 { idleLimit } else { nil } }.first
    }
    var authenticates: (username: String, password: String?)? {
        lazy.compactMap { action in
            guard case .authenticate(let username, let password) = action else { return nil }
            return (username, password.map { String(buffer: $0) })
        }.first
    }
    var claims: String? {
        lazy.compactMap { if case .claim(let id, let isClean) = $0 { isClean ? "\(id) clean" : id } else { nil } }
            .first
    }
    var started: [SessionTimer] { compactMap { if case .start(let timer, _) = $0 { timer } else { nil } } }
    var stopped: [SessionTimer] { compactMap { if case .stop(let timer) = $0 { timer } else { nil } } }
}

extension Packet {
    static func message(_ topic: String, _ qos: QoS = .atMostOnce, _ id: UInt16? = nil, retain: Bool = false) -> Packet
    {
        .publish(PublishHead(qos: qos, retain: retain, topic: topic, packetID: id), payload: ByteBuffer(string: "x"))
    }

    static func ack(_ type: PacketType, _ id: UInt16, _ code: UInt8 = 0) -> Packet {
        let ack = PublishAck(packetID: id, reasonCode: code)
        return switch type {
        case .puback: .puback(ack)
        case .pubrec: .pubrec(ack)
        case .pubrel: .pubrel(ack)
        default: .pubcomp(ack)
        }
    }
}
