import MQTTCodec
import NIOCore

/// What can be read of a PUBLISH without decoding it.
struct PublishGlance: Sendable, Equatable {
    let isDuplicate: Bool
    let qos: QoS
    let retain: Bool
    /// `nil` only at QoS 0.
    let packetID: UInt16?
    /// Whether there are properties or the topic is empty, so that the head has to be decoded to know more.
    let needsDecoding: Bool

    /// `bytes` begin with the PUBLISH, and hold at least its head if they are well-formed. If not, the result is `nil`.
    init?(_ bytes: ByteBuffer, version: MQTTVersion) {
        // Every message is looked at like this, and reading integer by integer would cost several times as much.
        guard let glance = bytes.withUnsafeReadableBytes({ PublishGlance($0, version) }) else { return nil }
        self = glance
    }

    private init?(_ bytes: UnsafeRawBufferPointer, _ version: MQTTVersion) {
        guard let topic = bytes.endOfFixedHeader, topic + 2 <= bytes.count,
            let qos = QoS(rawValue: bytes[0] >> 1 & 0b11)
        else { return nil }
        let topicLength = Int(bytes.bigEndian(at: topic))
        var end = topic + 2 + topicLength
        var packetID: UInt16?
        if qos != .atMostOnce {
            guard end + 2 <= bytes.count else { return nil }
            let identifier = bytes.bigEndian(at: end)
            guard identifier != 0 else { return nil }
            packetID = identifier
            end += 2
        }
        guard end <= bytes.count else { return nil }
        var needsDecoding = false
        if version.hasProperties {
            guard end < bytes.count else { return nil }
            needsDecoding = bytes[end] != 0 || topicLength == 0
        }
        self.isDuplicate = bytes[0] & 0b1000 != 0
        self.qos = qos
        self.retain = bytes[0] & 1 != 0
        self.packetID = packetID
        self.needsDecoding = needsDecoding
    }
}

extension UnsafeRawBufferPointer {
    /// Where a packet's fixed header ends; `nil` if the bytes end before it. A length of more than four bytes counts as
    /// one of four.
    var endOfFixedHeader: Int? {
        guard count >= 2 else { return nil }
        for index in 1...4 {
            guard index < count else { return nil }
            if self[index] & 0x80 == 0 { return index + 1 }
        }
        return 5
    }

    /// - Precondition: Both bytes are there.
    func bigEndian(at index: Int) -> UInt16 {
        UInt16(self[index]) << 8 | UInt16(self[index + 1])
    }
}
