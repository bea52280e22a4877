import NIOCore

/// Any packet, parsed to its last byte.
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

    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Packet { throw unfinished }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}
