import MQTTCodec
import NIOCore

/// A device's will as the PUBLISH that it will be, in memory of its own: CONNECT's is not kept for it.
struct StoredWill: Sendable {
    let qos: QoS
    let retain: Bool
    /// Seconds from the device's end to the will.
    private(set) var delay: UInt32
    private var packet: ByteBuffer
    /// Where in `packet` the packet identifier stands.
    private let identifierOffset: Int

    /// Longer than this no will is delayed, whatever the device asked for: until then a session stays in memory.
    static let maximumDelay: UInt32 = 300

    /// - Parameters:
    ///   - sessionExpiry: Seconds, as the device asked for: where its session would have ended, the will is due
    ///     (MQTT 5 3.1.3.2.2).
    ///   - version: The gateway session's.
    /// - Throws: where routing made the topic longer than MQTT can express.
    init(_ will: Will, sessionExpiry: UInt32, version: MQTTVersion) throws(MQTTError) {
        qos = will.qos
        retain = will.retain
        delay = min(will.properties.willDelayInterval ?? 0, sessionExpiry, Self.maximumDelay)
        var properties = will.properties
        properties.willDelayInterval = nil
        let head = PublishHead(
            qos: will.qos, retain: will.retain, topic: will.topic, packetID: will.qos == .atMostOnce ? nil : 1,
            properties: properties)
        packet = try Packet.publish(head, payload: will.payload).encode(version: version)
        let headerLength = try Frame(packet: packet, version: version).headerLength
        identifierOffset = packet.readerIndex + headerLength + 2 + will.topic.utf8.count
    }

    /// The device's DISCONNECT made its session shorter (MQTT 5 3.14.2.2.2).
    mutating func shorten(sessionExpiry: UInt32) {
        delay = min(delay, sessionExpiry)
    }

    /// Bytes of the whole PUBLISH.
    var length: Int { packet.readableBytes }

    /// The PUBLISH; `identifier` is not used at QoS 0.
    func publish(_ identifier: UInt16) -> ByteBuffer {
        guard qos != .atMostOnce else { return packet }
        var packet = packet
        packet.setInteger(identifier, at: identifierOffset)
        return packet
    }
}
