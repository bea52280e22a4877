import NIOCore

/// Any packet, parsed completely.
package enum Packet: Sendable, Equatable {
    case connect(Connect)
    case connack(Connack)
    case publish(PublishHead, payload: ByteBuffer)
    case puback(PublishAck)
    case pubrec(PublishAck)
    case pubrel(PublishAck)
    case pubcomp(PublishAck)
    case subscribe(Subscribe)
    case suback(Suback)
    case unsubscribe(Unsubscribe)
    case unsuback(Unsuback)
    case pingreq
    case pingresp
    case disconnect(Disconnect)
    case auth(Auth)

    /// - Parameter version: The version of the connection; CONNECT has its own.
    /// - Throws: If the packet is malformed or breaks a rule of its version.
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Packet {
        switch frame.type {
        case .connect: return .connect(try Connect.decode(frame))
        case .connack: return .connack(try Connack.decode(frame, version: version))
        case .publish:
            let (head, payload) = try PublishHead.decode(frame, version: version)
            return .publish(head, payload: payload)
        case .puback: return .puback(try PublishAck.decode(frame, version: version))
        case .pubrec: return .pubrec(try PublishAck.decode(frame, version: version))
        case .pubrel: return .pubrel(try PublishAck.decode(frame, version: version))
        case .pubcomp: return .pubcomp(try PublishAck.decode(frame, version: version))
        case .subscribe: return .subscribe(try Subscribe.decode(frame, version: version))
        case .suback: return .suback(try Suback.decode(frame, version: version))
        case .unsubscribe: return .unsubscribe(try Unsubscribe.decode(frame, version: version))
        case .unsuback: return .unsuback(try Unsuback.decode(frame, version: version))
        case .pingreq:
            try PacketReader(frame, as: .pingreq, version: version).finish()
            return .pingreq
        case .pingresp:
            try PacketReader(frame, as: .pingresp, version: version).finish()
            return .pingresp
        case .disconnect: return .disconnect(try Disconnect.decode(frame, version: version))
        case .auth: return .auth(try Auth.decode(frame, version: version))
        }
    }

    /// The whole packet. A PUBLISH has a copy of its payload.
    ///
    /// - Parameter version: The version of the connection; CONNECT has its own.
    /// - Throws: If a value cannot be encoded in that version.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        switch self {
        case .connect(let connect): return try connect.encode()
        case .connack(let connack): return try connack.encode(version: version)
        case .publish(let head, let payload):
            var bytes = try head.encode(version: version, payloadLength: payload.readableBytes)
            bytes.writeImmutableBuffer(payload)
            return bytes
        case .puback(let ack): return try ack.encode(as: .puback, version: version)
        case .pubrec(let ack): return try ack.encode(as: .pubrec, version: version)
        case .pubrel(let ack): return try ack.encode(as: .pubrel, version: version)
        case .pubcomp(let ack): return try ack.encode(as: .pubcomp, version: version)
        case .subscribe(let subscribe): return try subscribe.encode(version: version)
        case .suback(let suback): return try suback.encode(version: version)
        case .unsubscribe(let unsubscribe): return try unsubscribe.encode(version: version)
        case .unsuback(let unsuback): return try unsuback.encode(version: version)
        case .pingreq: return try Self.encodeEmpty(.pingreq, version)
        case .pingresp: return try Self.encodeEmpty(.pingresp, version)
        case .disconnect(let disconnect): return try disconnect.encode(version: version)
        case .auth(let auth): return try auth.encode(version: version)
        }
    }

    private static func encodeEmpty(_ type: PacketType, _ version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(type, version: version, capacity: 0)
        return try writer.finish()
    }
}
