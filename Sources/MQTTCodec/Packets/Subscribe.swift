import NIOCore

/// SUBSCRIBE (MQTT 5 3.8).
package struct Subscribe: Sendable, Equatable {
    /// Not 0.
    package var packetID: UInt16
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
    /// - Parameter isLenient: only what can't be expressed in a `Subscribe` is an error; there may be no filter at all.
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
