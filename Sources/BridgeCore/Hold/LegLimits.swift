import MQTTCodec

/// What the broker allows on a leg, as far as it can matter to packets that the device sent under other limits.
struct LegLimits: Sendable {
    var receiveMaximum = UInt16.max
    var topicAliasMaximum: UInt16 = 0
    /// Bytes; `nil` if there is no limit.
    var maximumPacketSize: Int?
    var takesRetained = true
    var maximumQoS = QoS.exactlyOnce

    init() {}

    init(_ limits: GatewayLimits) {
        receiveMaximum = limits.receiveMaximum
        maximumPacketSize = limits.maximumPacketSize.map { Int($0) }
        takesRetained = limits.isRetainAvailable
        maximumQoS = limits.maximumQoS
    }

    init(_ connack: Connack) {
        self.init(GatewayLimits(connack))
        topicAliasMaximum = connack.properties.topicAliasMaximum ?? 0
    }
}
