import MQTTCodec
import NIOCore

/// What can be read of a PUBLISH without decoding it.
struct PublishGlance: Sendable, Equatable {
    let qos: QoS
    let retain: Bool
    /// `nil` only at QoS 0.
    let packetID: UInt16?
    /// Whether there are properties or the topic is empty, so that the head has to be decoded to know more.
    let needsDecoding: Bool

    /// `bytes` begin with the PUBLISH, and hold at least its head if they are well-formed. If not, the result is `nil`.
    init?(_ bytes: ByteBuffer, version: MQTTVersion) {
        var reader = bytes
        guard let first: UInt8 = reader.readInteger(), let qos = QoS(rawValue: first >> 1 & 0b11) else { return nil }
        for _ in 0..<4 {
            guard let lengthByte: UInt8 = reader.readInteger() else { return nil }
            if lengthByte & 0x80 == 0 { break }
        }
        guard let topicLength: UInt16 = reader.readInteger(), reader.readableBytes >= topicLength else { return nil }
        reader.moveReaderIndex(forwardBy: Int(topicLength))
        var packetID: UInt16?
        if qos != .atMostOnce {
            guard let identifier: UInt16 = reader.readInteger(), identifier != 0 else { return nil }
            packetID = identifier
        }
        var needsDecoding = false
        if version.hasProperties {
            guard let propertyLength: UInt8 = reader.readInteger() else { return nil }
            needsDecoding = propertyLength != 0 || topicLength == 0
        }
        self.qos = qos
        self.retain = first & 1 != 0
        self.packetID = packetID
        self.needsDecoding = needsDecoding
    }
}
