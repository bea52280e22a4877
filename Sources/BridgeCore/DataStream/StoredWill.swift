import MQTTCodec
import NIOCore

/// A device's will as the PUBLISH that it will become. It has memory of its own, so that CONNECT need not be kept.
struct StoredWill: Sendable {
    let qos: QoS
    let retain: Bool
    /// Seconds from the device's end to the will.
    private(set) var delay: UInt32
    private var packet: ByteBuffer
    /// The place of the packet identifier in `packet`.
    private let identifierOffset: Int

    /// The longest delay of a will, in seconds, whatever the device asked for: its session stays in memory until then.
    static let maximumDelay: UInt32 = 300

    /// - Parameters:
    ///   - sessionExpiry: Seconds that the device asked for. The will is due when the device's session would have ended
    ///     (MQTT 5 3.1.3.2.2).
    ///   - version: The gateway session's.
    /// - Throws: if routing made the topic longer than MQTT can express.
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

    /// The length of the whole PUBLISH in bytes.
    var length: Int { packet.readableBytes }

    /// Makes the PUBLISH. `identifier` is not used at QoS 0.
    func publish(_ identifier: UInt16) -> ByteBuffer {
        guard qos != .atMostOnce else { return packet }
        var packet = packet
        packet.setInteger(identifier, at: identifierOffset)
        return packet
    }
}
