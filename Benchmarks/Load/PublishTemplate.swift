import MQTTCodec
import NIOCore

/// A PUBLISH to one topic that is encoded once. Each message is a copy in which only packet identifier, DUP and stamp
/// differ.
struct PublishTemplate {
    private let head: ByteBuffer
    /// Where the packet identifier is in `head`; `nil` at QoS 0.
    private let packetIDOffset: Int?
    /// What follows the stamp. All templates of a run share it.
    private let padding: ByteBuffer

    /// - Throws: If the topic cannot be encoded.
    init(topic: String, qos: QoS, version: MQTTVersion, padding: ByteBuffer) throws(MQTTError) {
        let head = PublishHead(qos: qos, topic: topic, packetID: qos == .atMostOnce ? nil : 1)
        self.head = try head.encode(version: version, payloadLength: Stamp.length + padding.readableBytes)
        self.padding = padding
        // The identifier is followed only by the length of the properties, which is one byte of 0.
        packetIDOffset =
            qos == .atMostOnce ? nil : self.head.readableBytes - 2 - (version.hasProperties ? 1 : 0)
    }

    /// Appends one message.
    func write(_ stamp: Stamp, packetID: UInt16 = 0, isDuplicate: Bool = false, to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeImmutableBuffer(head)
        if let packetIDOffset {
            buffer.setInteger(packetID, at: start + packetIDOffset)
            if isDuplicate, let first = buffer.getInteger(at: start, as: UInt8.self) {
                buffer.setInteger(first | 0b1000, at: start)
            }
        }
        stamp.write(to: &buffer)
        buffer.writeImmutableBuffer(padding)
    }
}
