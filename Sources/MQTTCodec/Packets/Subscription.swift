import NIOCore

/// One filter of a SUBSCRIBE with its options (MQTT 5 3.8.3.1). In 3.1 and 3.1.1 the only option is the QoS.
package struct Subscription: Sendable, Equatable {
    /// The topic filter (MQTT 5 4.7).
    package var filter: String
    /// The highest QoS at which the broker may send messages.
    package var qos: QoS
    /// Whether the broker keeps the client's own messages from it.
    package var noLocal: Bool
    /// Whether messages keep the RETAIN flag that they were published with.
    package var retainAsPublished: Bool
    /// When retained messages are sent: 0, at each subscription; 1, only at a new one; 2, never.
    package var retainHandling: UInt8
    /// Bits of the options byte that have no meaning in the version. A lenient reading keeps them, so that they are
    /// passed on.
    package var reserved: UInt8 = 0

    package init(
        filter: String, qos: QoS = .atMostOnce, noLocal: Bool = false, retainAsPublished: Bool = false,
        retainHandling: UInt8 = 0
    ) {
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }
}

extension Subscription {
    static func decode(from reader: inout PacketReader) throws(MQTTError) -> Subscription {
        let version = reader.version
        let filter = try reader.string("topic filter")
        if !reader.isLenient { try TopicFilter.validate(filter, "SUBSCRIBE: topic filter", version) }
        let options = try reader.uint8("subscription options")
        // In 3.1 the upper six bits are unused and ignored.
        let reserved: UInt8 = version.hasProperties ? 0b1100_0000 : version == .v3_1_1 ? 0b1111_1100 : 0
        guard options & reserved == 0 || reader.isLenient else {
            throw reader.malformed(.subscriptionReservedBits, "reserved bits of the subscription options are not 0")
        }
        guard let qos = QoS(rawValue: options & 0b11) else {
            throw reader.malformed(.subscriptionOptions, "QoS 3")
        }
        guard version.hasProperties else {
            var subscription = Subscription(filter: filter, qos: qos)
            subscription.reserved = options & reserved
            return subscription
        }
        var subscription = Subscription(
            filter: filter, qos: qos, noLocal: options & 0b0100 != 0, retainAsPublished: options & 0b1000 != 0,
            retainHandling: options >> 4 & 0b11)
        subscription.reserved = options & reserved
        guard subscription.retainHandling <= 2 else {
            throw reader.protocolError(.subscriptionOptions, "retain handling 3")
        }
        guard !subscription.noLocal || !TopicFilter.isShared(filter) || reader.isLenient else {
            throw reader.protocolError(.noLocalShared, "no local on a shared subscription")
        }
        return subscription
    }

    /// The byte after the filter.
    func options(_ version: MQTTVersion) throws(MQTTError) -> UInt8 {
        guard version.hasProperties else { return qos.rawValue | reserved }
        guard retainHandling <= 2 else {
            throw MQTTError(
                .notEncodable, .subscriptionOptions, version, "SUBSCRIBE: retain handling is out of its range")
        }
        return reserved | retainHandling << 4 | (retainAsPublished ? 0b1000 : 0) | (noLocal ? 0b0100 : 0) | qos.rawValue
    }
}
