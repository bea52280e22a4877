import MQTTCodec
import NIOCore

/// A packet that the bridge sends in its own name, and that may carry text for people.
protocol WordedPacket {
    var properties: Properties { get set }
    func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer
}

extension Connack: WordedPacket {}
extension Disconnect: WordedPacket {}
extension Suback: WordedPacket {}
extension Unsuback: WordedPacket {}

extension WordedPacket {
    /// Encodes the packet, without Reason String and User Properties if the device would not accept it with them
    /// ([MQTT-3.2.2-19], [MQTT-3.2.2-20], [MQTT-3.9.2-1], [MQTT-3.11.2-1], [MQTT-3.14.2-3]).
    ///
    /// - Parameter limit: The device's Maximum Packet Size in bytes.
    /// - Returns: `nil` if the packet is too long without them as well, and must not be sent [MQTT-3.1.2-24].
    func encoded(_ version: MQTTVersion, within limit: UInt32?) throws(MQTTError) -> ByteBuffer? {
        let whole = try encode(version: version)
        guard let limit, whole.readableBytes > limit else { return whole }
        var short = self
        short.properties.reasonString = nil
        short.properties.userProperties = []
        let rest = try short.encode(version: version)
        return rest.readableBytes > limit ? nil : rest
    }
}
