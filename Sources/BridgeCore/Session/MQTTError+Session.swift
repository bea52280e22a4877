import MQTTCodec

// Errors that only the order of packets makes.
extension MQTTError {
    static let firstPacketNotConnect = MQTTError(
        .protocolError, clause: "[MQTT-3.1.0-1]", message: "the first packet has to be CONNECT")
    static let secondConnect = MQTTError(
        .protocolError, clause: "[MQTT-3.1.0-2]", message: "CONNECT came twice")
    static let beforeConnack = MQTTError(
        .protocolError, clause: "[MQTT-3.2.0-1]", message: "only AUTH or DISCONNECT may come here before CONNACK")
    static let publishBeforeConnack = packetBeforeConnack(.publish)

    static let expiryAtTheEnd = MQTTError(
        .protocolError, clause: "MQTT 5 3.14.2.2.2",
        message: "DISCONNECT asks for a session expiry, and CONNECT had asked for none")

    static func unreadable(_ type: PacketType) -> MQTTError {
        MQTTError(.malformed, clause: "MQTT 5 4.13", message: "\(type) can't be read, and the routes need its topic")
    }

    static let unaskedAuth = MQTTError(
        .protocolError, clause: "[MQTT-4.12.0-6]", message: "AUTH came without an authentication method in CONNECT")

    static func serverPacketFromClient(_ type: PacketType) -> MQTTError {
        MQTTError(
            .protocolError, clause: "MQTT 5 2.1.2", message: "\(type) is sent by servers only, a device sent it")
    }

    static func clientPacketFromServer(_ type: PacketType) -> MQTTError {
        MQTTError(
            .protocolError, clause: "MQTT 5 2.1.2", message: "the broker sent \(type), which it may not send here")
    }

    static func packetBeforeConnack(_ type: PacketType) -> MQTTError {
        MQTTError(
            .protocolError, clause: "[MQTT-3.2.0-1]", message: "the broker sent \(type) before CONNACK")
    }

    static func broken(_ refusal: Refusal) -> MQTTError {
        MQTTError(.protocolError, clause: "MQTT 5 4.13", message: refusal.message)
    }
}
