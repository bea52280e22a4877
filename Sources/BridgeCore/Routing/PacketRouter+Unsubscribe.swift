import MQTTCodec
import NIOCore

/// UNSUBSCRIBE and UNSUBACK.
extension PacketRouter {
    mutating func unsubscribe(_ frame: Frame) throws(MQTTError) -> Routed {
        let packet = try Unsubscribe.decode(frame, version: version, isLenient: isLenient)
        guard !packet.filters.isEmpty else { return Routed(forward: [frame.bytes]) }
        for filter in packet.filters { try TopicFilter.validate(filter, version: version) }
        var plan = FilterPlan<String>()
        for filter in packet.filters {
            switch filterFate(of: filter) {
            case .unchanged:
                plan.pass(filter)
            case .mapped(let filters):
                if filters.count == 1, let only = filters.first, only.filter.hasSameBytes(as: filter) {
                    plan.pass(filter)
                } else {
                    plan.replace(with: filters.map(\.filter))
                }
            case .dropped:
                plan.answer(ReasonCode.success.rawValue)
            case .refused(let reason):
                // 3.1 and 3.1.1 can't say no, and need not: the device never was subscribed.
                plan.answer(reason.rawValue)
            }
            guard plan.remote.count <= Self.maximumRemoteFilters else {
                return try refuse(packet)
            }
        }
        return try carryOut(plan, packet: packet, frame: frame)
    }

    /// UNSUBACK of 5.0 with one code for each filter of the device: success where anything it became was unsubscribed,
    /// else what the broker says of the first. The others have no codes.
    mutating func unsubscribed(_ frame: Frame) throws(MQTTError) -> Routed {
        guard let packetID = frame.leadingPacketID, let entries = pendingUnsubscribes.take(packetID) else {
            return Routed(forward: [frame.bytes])
        }
        var packet = try Unsuback.decode(frame, version: version)
        guard let codes = PendingFilters.merge(packet.codes, for: entries, by: PendingFilters.unsubscribed) else {
            throw codesDoNotFit(.unsuback)
        }
        packet.codes = codes
        return Routed(forward: try packet.encoded(version, within: deviceMaximumPacketSize).map { [$0] } ?? [])
    }

    private mutating func carryOut(
        _ plan: FilterPlan<String>, packet: Unsubscribe, frame: Frame
    ) throws(MQTTError) -> Routed {
        guard !plan.remote.isEmpty else {
            return Routed(reply: [try answer(packet, codes: plan.localCodes)])
        }
        if version.hasProperties, plan.needsMerge {
            switch pendingUnsubscribes.add(plan.entries, packetID: packet.packetID) {
            case .added: break
            case .identifierInUse: throw identifierInUse(.unsubscribe)
            case .full: return try refuse(packet)
            }
        } else if pendingUnsubscribes.isWaiting(for: packet.packetID) {
            throw identifierInUse(.unsubscribe)
        }
        guard plan.isChanged else {
            return Routed(forward: [frame.bytes])
        }
        var remote = packet
        remote.filters = plan.remote
        return Routed(forward: [try remote.encode(version: version).withFlags(of: frame)])
    }

    /// All of it, for there is too much of it. UNSUBACK has no "quota exceeded" (MQTT 5 3.11.3).
    private mutating func refuse(_ packet: Unsubscribe) throws(MQTTError) -> Routed {
        counters.rejectedFilters += packet.filters.count
        guard version.hasProperties else {
            return Routed(close: Self.tooManyFilters)
        }
        let code = ReasonCode.implementationSpecificError.rawValue
        return Routed(reply: [try answer(packet, codes: [UInt8](repeating: code, count: packet.filters.count))])
    }

    private func answer(_ packet: Unsubscribe, codes: [UInt8]) throws(MQTTError) -> ByteBuffer {
        try Unsuback(packetID: packet.packetID, codes: version.hasProperties ? codes : []).encode(version: version)
    }
}
