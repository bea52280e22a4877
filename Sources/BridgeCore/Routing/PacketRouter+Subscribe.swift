import MQTTCodec
import NIOCore

/// SUBSCRIBE and SUBACK.
extension PacketRouter {
    mutating func subscribe(_ frame: Frame) throws(MQTTError) -> Routed {
        let packet = try Subscribe.decode(frame, version: version, isLenient: isLenient)
        // Nothing in it needs a route.
        guard !packet.subscriptions.isEmpty else { return Routed(forward: [frame.bytes]) }
        for subscription in packet.subscriptions {
            try TopicFilter.validate(subscription.filter, version: version)
        }
        var plan = FilterPlan<Subscription>()
        for subscription in packet.subscriptions {
            switch filterFate(of: subscription.filter) {
            case .unchanged:
                plan.pass(subscription)
            case .mapped(let filters):
                add(subscription, as: filters, to: &plan)
            case .dropped:
                plan.answer(subscription.qos.rawValue)
            case .refused(let reason):
                guard let code = failureCode(reason) else {
                    return closing(reason, filter: subscription.filter)
                }
                plan.answer(code)
            }
            guard plan.remote.count <= Self.maximumRemoteFilters else {
                return try refuse(packet)
            }
        }
        return try carryOut(plan, packet: packet, frame: frame)
    }

    /// SUBACK with one code for each filter of the device: the first failure among what it became, else the lowest QoS
    /// granted [MQTT-3.8.4-6].
    mutating func subscribed(_ frame: Frame) throws(MQTTError) -> Routed {
        guard let packetID = frame.leadingPacketID, let entries = pendingSubscribes.take(packetID) else {
            return Routed(forward: [frame.bytes])
        }
        var packet = try Suback.decode(frame, version: version)
        guard let codes = PendingFilters.merge(packet.codes, for: entries, by: PendingFilters.subscribed) else {
            throw codesDoNotFit(.suback)
        }
        packet.codes = codes
        return Routed(forward: try packet.encoded(version, within: deviceMaximumPacketSize).map { [$0] } ?? [])
    }

    private func add(
        _ subscription: Subscription, as filters: [ResolvedRoutes.MappedFilter], to plan: inout FilterPlan<Subscription>
    ) {
        let remote = filters.map { filter in
            var remote = subscription
            remote.filter = filter.filter
            if let route = routes.route(at: filter.routeIndex) {
                remote.qos = min(remote.qos, route.qosCap)
            }
            return remote
        }
        if remote.count == 1, let only = remote.first, only.qos == subscription.qos,
            only.filter.hasSameBytes(as: subscription.filter)
        {
            plan.pass(subscription)
        } else {
            plan.replace(with: remote)
        }
    }

    private mutating func carryOut(
        _ plan: FilterPlan<Subscription>, packet: Subscribe, frame: Frame
    ) throws(MQTTError) -> Routed {
        guard !plan.remote.isEmpty else {
            return Routed(reply: [
                try Suback(packetID: packet.packetID, codes: plan.localCodes).encode(version: version)
            ])
        }
        if plan.needsMerge {
            switch pendingSubscribes.add(plan.entries, packetID: packet.packetID) {
            case .added: break
            case .identifierInUse: throw identifierInUse(.subscribe)
            case .full: return try refuse(packet)
            }
        } else if pendingSubscribes.isWaiting(for: packet.packetID) {
            throw identifierInUse(.subscribe)
        }
        guard plan.isChanged else {
            return Routed(forward: [frame.bytes])
        }
        var remote = packet
        remote.subscriptions = plan.remote
        return Routed(forward: [try remote.encode(version: version).withFlags(of: frame)])
    }

    /// All of it, for there is too much of it.
    private mutating func refuse(_ packet: Subscribe) throws(MQTTError) -> Routed {
        counters.rejectedFilters += packet.subscriptions.count
        guard let code = failureCode(.quotaExceeded) else {
            return Routed(close: Self.tooManyFilters)
        }
        let codes = [UInt8](repeating: code, count: packet.subscriptions.count)
        return Routed(reply: [try Suback(packetID: packet.packetID, codes: codes).encode(version: version)])
    }

    /// How a SUBACK says no: by reason in 5.0, by 0x80 in 3.1.1, not at all in 3.1.
    private func failureCode(_ reason: ReasonCode) -> UInt8? {
        switch version {
        case .v3_1: nil
        case .v3_1_1: 0x80
        case .v5_0: reason.rawValue
        }
    }
}
