import NIOCore

let unfinished = MQTTError(.notEncodable, clause: "", message: "not written yet")

extension Connack {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Connack { throw unfinished }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Subscribe {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Subscribe { throw unfinished }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Suback {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Suback { throw unfinished }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Unsubscribe {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Unsubscribe {
        throw unfinished
    }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Unsuback {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Unsuback { throw unfinished }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Disconnect {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Disconnect {
        throw unfinished
    }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Auth {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Auth { throw unfinished }
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Connect {
    package static func decode(_ frame: Frame) throws(MQTTError) -> Connect { throw unfinished }
    package func encode() throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension PublishAck {
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> PublishAck {
        throw unfinished
    }
    package func encode(as type: PacketType, version: MQTTVersion) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension PublishHead {
    package static func decode(
        _ frame: Frame, version: MQTTVersion
    ) throws(MQTTError) -> (PublishHead, payload: ByteBuffer) { throw unfinished }
    package func encode(version: MQTTVersion, payloadLength: Int) throws(MQTTError) -> ByteBuffer { throw unfinished }
}

extension Frame {
    /// The frame that `bytes` are, for a caller that has exactly one whole packet.
    package init(packet bytes: ByteBuffer, version: MQTTVersion?) throws(MQTTError) { throw unfinished }
}

package enum TopicName {
    package static func validate(_ name: String, version: MQTTVersion = .v5_0) throws(MQTTError) {}
}

package enum TopicFilter {
    package static func validate(_ filter: String, version: MQTTVersion = .v5_0) throws(MQTTError) {}
}
