import MQTTCodec
import NIOCore

// A device in a session of the gateway: what the bridge answers in the broker's place.
extension ConnectedDevice {
    mutating func deviceSentToGateway(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        switch frame.type {
        case .publish:
            if let refusal = try gateway?.refusal(of: frame, facts.version) { return refuse(refusal) }
            return try routeAsLaterVersions(frame)
        case .subscribe, .unsubscribe, .pubrel:
            return try routeAsLaterVersions(frame)
        case .puback, .pubrec, .pubcomp:
            return try deviceAcknowledged(frame)
        case .pingreq:
            return pong()
        case .disconnect:
            return try deviceDisconnected(frame)
        case .connect:
            throw .secondConnect
        case .auth:
            throw .unaskedAuth
        case .connack, .suback, .unsuback, .pingresp:
            throw .serverPacketFromClient(frame.type)
        }
    }

    private mutating func routeAsLaterVersions(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        try route(facts.version == .v3_1 ? frame.asLaterVersions() : frame)
    }

    /// [MQTT-3.14.4-3]: the will is discarded with a normal DISCONNECT only.
    private mutating func deviceDisconnected(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        let disconnect = try Disconnect.decode(frame, version: facts.version)
        if let expiry = disconnect.properties.sessionExpiryInterval {
            guard expiry == 0 || !facts.hasNoExpiry else { throw .expiryAtTheEnd }
            gateway?.will?.shorten(sessionExpiry: expiry)
        }
        return end(Ending(.deviceDisconnected, will: disconnect.reasonCode == 0 ? .discarded : .due))
    }

    /// The answer to a delivery.
    private mutating func deviceAcknowledged(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        guard gateway?.window != nil, let packetID = frame.leadingPacketID else {
            return try routeAsLaterVersions(frame)
        }
        let passage: DeliveryWindow.Passage?
        switch frame.type {
        case .pubrec where frame.acknowledgementCode < 0x80: passage = gateway?.window?.deviceReceived(packetID)
        case .pubcomp: passage = gateway?.window?.deviceCompleted(packetID)
        default:
            gateway?.window?.deviceFinished(packetID)
            passage = .pass
        }
        switch passage {
        case .pass, nil:
            return try routeAsLaterVersions(frame)
        case .passAndRelease:
            let release = try router.acknowledgement(.pubrel, packetID)
            return try routeAsLaterVersions(frame) + toDevice(release)
        case .swallow, .answer:
            return []
        }
    }

    /// A packet of the broker on the data stream.
    mutating func gatewaySent(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        switch frame.type {
        case .publish, .pubrel, .puback, .pubrec, .pubcomp, .suback, .unsuback:
            return try deliver(frame)
        case .disconnect where facts.version == .v5_0:
            // EMQX sends none on data streams. It would be about the gateway, so the device is not told.
            let code = try Disconnect.decode(frame, version: .v5_0).reasonCode
            return end(Ending(.brokerDisconnected(code: code), uplink: .useless))
        case .connect, .connack, .subscribe, .unsubscribe, .pingreq, .pingresp, .disconnect, .auth:
            throw .clientPacketFromServer(frame.type)
        }
    }

    /// Another data stream is there, perhaps in a session with other limits. What the broker keeps for a stream goes
    /// with it, so everything is new to the broker on this one, subscriptions and messages alike; the flows that it
    /// knew are brought to their end here. A message at QoS 2 whose PUBREL did not come is sent again like any other,
    /// because it is unknown whether the broker had it.
    mutating func returned(_ limits: GatewayLimits) -> [SessionAction] {
        guard hold?.phase == .awaitingUplink, let told = gateway?.limits else { return [] }
        if let less = limits.lessThan(told) { return end(.uplinkLost("the broker now allows less: \(less)")) }
        return rejoin(isSessionPresent: false, needsSubscriptions: true, LegLimits(limits))
    }

    /// A packet identifier for the will that does not belong to anything the broker still has to answer.
    var unusedID: UInt16 {
        // Only a device with all 65,535 in flight leaves none; then the will is as good as any of its messages.
        (1...UInt16.max).first { gateway?.isInUse($0) != true && hold?.journal.isUsed($0) != true } ?? 1
    }
}

extension MQTTVersion {
    /// The version that the broker's side of a device in a session of the gateway speaks: 3.1 differs from 3.1.1 in
    /// CONNECT only, and in bits that it leaves undefined.
    var onDataStream: MQTTVersion { self == .v5_0 ? .v5_0 : .v3_1_1 }
}

extension GatewayLimits {
    /// Names the first thing that the device was told it may do and may no longer; `nil` if there is none. Messages in
    /// flight and the size of packets are checked as packets go out.
    fileprivate func lessThan(_ told: GatewayLimits) -> String? {
        if maximumQoS < told.maximumQoS { return "QoS \(maximumQoS.rawValue) at most" }
        if !isRetainAvailable, told.isRetainAvailable { return "no retained messages" }
        if !areWildcardsAvailable, told.areWildcardsAvailable { return "no wildcards in filters" }
        if !areSubscriptionIdentifiersAvailable, told.areSubscriptionIdentifiersAvailable {
            return "no subscription identifiers"
        }
        if !areSharedSubscriptionsAvailable, told.areSharedSubscriptionsAvailable { return "no shared subscriptions" }
        return nil
    }
}

// MARK: - MQTT 3.1

extension Frame {
    /// The same packet as MQTT 3.1.1 has it: 3.1 lets DUP be set where it later was forbidden, and leaves unused bits
    /// undefined.
    fileprivate func asLaterVersions() throws(MQTTError) -> Frame {
        switch type {
        case .publish:
            return flags & 0b0110 == 0 && flags & 0b1000 != 0 ? try replacingFlags(flags & 0b0111) : self
        case .pubrel, .unsubscribe:
            return flags == 0b0010 ? self : try replacingFlags(0b0010)
        case .subscribe:
            let bytes = try Subscribe.decode(self, version: .v3_1).encode(version: .v3_1)
            return try Frame(packet: bytes, version: .v3_1)
        default:
            return flags == 0 ? self : try replacingFlags(0)
        }
    }

    private func replacingFlags(_ flags: UInt8) throws(MQTTError) -> Frame {
        var bytes = bytes
        bytes.setInteger(type.rawValue << 4 | flags, at: bytes.readerIndex)
        return try Frame(packet: bytes, version: .v3_1)
    }
}

extension StreamedPublish {
    /// The same packet as MQTT 3.1.1 has it.
    var asLaterVersions: StreamedPublish {
        guard publish.isDuplicate, publish.qos == .atMostOnce else { return self }
        var head = head
        var publish = publish
        publish.isDuplicate = false
        head.setInteger(PacketType.publish.rawValue << 4 | flags & 0b0111, at: head.readerIndex)
        return StreamedPublish(head: head, flags: flags & 0b0111, publish: publish, payloadLength: payloadLength)
    }
}
