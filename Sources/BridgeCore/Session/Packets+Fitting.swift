import MQTTCodec
import NIOCore

/// A packet that the bridge sends in its own name, and that has words for people in it.
protocol WordedPacket {
    var properties: Properties { get set }
    func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer
}

extension Connack: WordedPacket {}
extension Disconnect: WordedPacket {}
extension Suback: WordedPacket {}
extension Unsuback: WordedPacket {}

extension WordedPacket {
    /// Without Reason String and User Properties where the device would not take it with them ([MQTT-3.2.2-19],
    /// [MQTT-3.2.2-20], [MQTT-3.9.2-1], [MQTT-3.11.2-1], [MQTT-3.14.2-3]).
    ///
    /// - Parameter limit: Bytes; the device's Maximum Packet Size.
    /// - Returns: `nil` where it is too long without them as well, and must not be sent [MQTT-3.1.2-24].
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
