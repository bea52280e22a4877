import NIOCore

/// A message as `sub` prints it.
struct ReceivedMessage: Equatable, Sendable {
    /// The properties of MQTT 5.0 that a PUBLISH can have; all of them are absent in 3.1.1.
    struct Properties: Equatable, Sendable {
        struct UserProperty: Equatable, Sendable {
            var name: String
            var value: String
        }

        var payloadFormat: UInt8?
        /// In seconds.
        var expiry: UInt32?
        var contentType: String?
        var responseTopic: String?
        var correlationData: [UInt8]?
        var subscriptionIdentifiers: [UInt32] = []
        var topicAlias: UInt16?
        var userProperties: [UserProperty] = []
    }

    var topic: String
    var payload: ByteBuffer
    /// 0, 1 or 2.
    var qos: UInt8 = 0
    var isRetained = false
    /// 0 at QoS 0, which has none.
    var packetID: UInt16 = 0
    var properties = Properties()
}
