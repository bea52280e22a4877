import NIOCore

/// SUBSCRIBE (MQTT 5 3.8).
package struct Subscribe: Sendable, Equatable {
    /// Never 0.
    package var packetID: UInt16
    /// MQTT 5 3.8.2.1.
    package var properties: Properties
    /// At least one.
    package var subscriptions: [Subscription]

    package init(packetID: UInt16, properties: Properties = [], subscriptions: [Subscription]) {
        self.packetID = packetID
        self.properties = properties
        self.subscriptions = subscriptions
    }
}

extension Subscribe {
    /// - Parameter isLenient: Only what cannot be expressed in a `Subscribe` is an error. There may be no filter at
    ///   all.
    /// - Throws: If the packet is malformed or breaks a rule of its version.
    package static func decode(
        _ frame: Frame, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> Subscribe {
        var reader = try PacketReader(frame, as: .subscribe, version: version, isLenient: isLenient)
        let packetID = try reader.packetID(.packetIDNotZero)
        let properties = try reader.properties()
        var subscriptions: [Subscription] = []
        while !reader.isAtEnd { subscriptions.append(try Subscription.decode(from: &reader)) }
        guard !subscriptions.isEmpty || isLenient else {
            throw reader.protocolError(.subscribeEmpty, "no topic filter")
        }
        return Subscribe(packetID: packetID, properties: properties, subscriptions: subscriptions)
    }

    /// The whole packet.
    ///
    /// - Throws: If the packet identifier is 0, the list is empty, or a value is not allowed or cannot be encoded.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.subscribe, version: version)
        try writer.write(packetID: packetID)
        try writer.write(properties)
        guard !subscriptions.isEmpty else { throw writer.notEncodable(.subscribeEmpty, "no topic filter") }
        for subscription in subscriptions {
            try writer.write(subscription.filter, "topic filter")
            writer.write(try subscription.options(version))
        }
        return try writer.finish()
    }
}
