import MQTTCodec
import NIOCore

extension ClientSession {
    /// Subscribes, now or when there is a connection. The outcome is told as `subscribed`.
    mutating func subscribe(
        _ operation: ClientOperation, _ list: [MQTTSubscription], identifier: UInt32?,
        userProperties: [MQTTUserProperty]
    ) throws(MQTTClientError) -> [ClientAction] {
        try check(list, identifier, userProperties)
        try checkRequests()
        subscriptions.add(
            operation,
            SubscriptionTable.Entry(subscriptions: list, userProperties: userProperties, identifier: identifier))
        unsentRequests.append(.subscribe(operation, list, isAgain: false))
        return phase == .online ? sendRequests() : []
    }

    private func check(
        _ list: [MQTTSubscription], _ identifier: UInt32?, _ userProperties: [MQTTUserProperty]
    ) throws(MQTTClientError) {
        guard !list.isEmpty else { throw .invalidArgument("there is no filter to subscribe to: give at least one") }
        for subscription in list { try checkFilter(subscription.filter) }
        guard version.hasProperties || (identifier == nil && userProperties.isEmpty) else {
            throw .invalidArgument("MQTT 3.1.1 has no properties: leave them out, or use MQTT 5")
        }
        if let identifier, !(1..<SubscriptionTable.firstOwnIdentifier).contains(identifier) {
            throw .invalidArgument("the subscription identifier \(identifier) is out of its range: use 1 to 199999999")
        }
        for subscription in list where subscription.noLocal && TopicFilter.isShared(subscription.filter) {
            throw .invalidArgument("the shared subscription \(subscription.filter) cannot leave out its own messages")
        }
    }

    private func checkFilter(_ filter: String) throws(MQTTClientError) {
        do throws(MQTTError) {
            try TopicFilter.validate(filter, version: version)
        } catch {
            throw .invalidArgument("\"\(filter)\" is no topic filter: \(error.description)")
        }
    }

    private func checkRequests() throws(MQTTClientError) {
        let limit = configuration.maximumOutstandingPublishes
        guard unsentRequests.count + sentRequests.count < limit else {
            throw .tooManyOutstanding(limit: "\(limit) requests")
        }
    }

    /// Unsubscribes, now or when there is a connection. The outcome is told as `unsubscribed`.
    mutating func unsubscribe(
        _ operation: ClientOperation, _ filters: [String], userProperties: [MQTTUserProperty]
    ) throws(MQTTClientError) -> [ClientAction] {
        guard !filters.isEmpty else { throw .invalidArgument("there is no filter to unsubscribe from") }
        for filter in filters { try checkFilter(filter) }
        guard version.hasProperties || userProperties.isEmpty else {
            throw .invalidArgument("MQTT 3.1.1 has no properties: leave them out, or use MQTT 5")
        }
        try checkRequests()
        unsentRequests.append(.unsubscribe(operation, filters, userProperties, hasWaiter: true))
        return phase == .online ? sendRequests() : []
    }

    /// The application lets go of a subscription. Nobody waits for the outcome.
    mutating func abandon(_ subscription: ClientOperation) -> [ClientAction] {
        // An UNSUBSCRIBE that undoes a cancelled SUBSCRIBE stays.
        unsentRequests.removeAll { request in
            switch request {
            case .subscribe(subscription, _, _), .refresh(subscription, _): true
            default: false
            }
        }
        for (packetID, request) in sentRequests {
            guard case .subscribe(subscription, let list, _) = request else { continue }
            sentRequests[packetID] = .undo(subscription, list)
            _ = subscriptions.remove(subscription)
            return []
        }
        let wasGranted = subscriptions.entries[subscription]?.isGranted ?? false
        guard wasGranted else {
            _ = subscriptions.remove(subscription)
            return []
        }
        let unused = remove(subscription)
        if !unused.isEmpty { unsentRequests.append(.unsubscribe(subscription, unused, [], hasWaiter: false)) }
        return phase == .online ? sendRequests() : []
    }

    /// Nobody waits for a subscribe or an unsubscribe any more.
    mutating func cancelRequest(_ operation: ClientOperation) -> [ClientAction] {
        if subscriptions.entries[operation]?.isGranted == false {
            return [.subscribed(operation, .failure(.cancelled))] + abandon(operation)
        }
        let cancelled = ClientAction.unsubscribed(operation, .failure(.cancelled))
        if let index = unsentRequests.firstIndex(where: { $0.operation == operation }) {
            guard case .unsubscribe(_, _, _, hasWaiter: true) = unsentRequests[index] else { return [] }
            unsentRequests.remove(at: index)
            return [cancelled]
        }
        for (packetID, request) in sentRequests {
            guard case .unsubscribe(operation, let filters, let properties, true) = request else { continue }
            sentRequests[packetID] = .unsubscribe(operation, filters, properties, hasWaiter: false)
            return [cancelled]
        }
        return []
    }

    mutating func sendRequests() -> [ClientAction] {
        var actions: [ClientAction] = []
        while let request = unsentRequests.first {
            if case .refresh(let owner, let filters) = request, subscriptions(of: filters, owner).isEmpty {
                unsentRequests.removeFirst()
                continue
            }
            guard let packetID = flows[0].identifiers.allocate() else { break }
            unsentRequests.removeFirst()
            do throws(MQTTClientError) {
                actions.append(.send(try encode(request, packetID), on: .control))
                sentRequests[packetID] = request
            } catch {
                flows[0].identifiers.free(packetID)
                actions += failed(request, error)
            }
        }
        return actions
    }

    private mutating func encode(
        _ request: FilterRequest, _ packetID: UInt16
    ) throws(MQTTClientError) -> ByteBuffer {
        let packet: Packet
        switch request {
        case .subscribe(let operation, let list, _): packet = .subscribe(try subscribe(operation, list, packetID))
        case .undo(let operation, let list): packet = .subscribe(try subscribe(operation, list, packetID))
        case .refresh(let owner, let filters):
            packet = .subscribe(try subscribe(owner, subscriptions(of: filters, owner), packetID))
        case .unsubscribe(_, let filters, let userProperties, _):
            var properties = Properties()
            properties.append(userProperties)
            packet = .unsubscribe(Unsubscribe(packetID: packetID, properties: properties, filters: filters))
        }
        let bytes: ByteBuffer
        do throws(MQTTError) {
            bytes = try packet.encode(version: version)
        } catch {
            throw .invalidArgument(error.description)
        }
        try checkSize(bytes.readableBytes)
        return bytes
    }

    private mutating func subscribe(
        _ operation: ClientOperation, _ list: [MQTTSubscription], _ packetID: UInt16
    ) throws(MQTTClientError) -> Subscribe {
        for subscription in list {
            guard limits.hasSharedSubscriptions || !TopicFilter.isShared(subscription.filter) else {
                throw .notSupportedByBroker("shared subscriptions")
            }
            guard
                limits.hasWildcardSubscriptions
                    || !subscription.filter.utf8.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "+") })
            else { throw .notSupportedByBroker("wildcards in filters") }
        }
        var properties = Properties()
        if version.hasProperties {
            if limits.hasSubscriptionIdentifiers {
                let identifier =
                    subscriptions.entries[operation]?.identifier ?? SubscriptionTable.identifier(for: operation)
                subscriptions.identify(operation, identifier)
                properties.subscriptionIdentifiers = [identifier]
            } else if let identifier = subscriptions.entries[operation]?.identifier {
                guard identifier >= SubscriptionTable.firstOwnIdentifier else {
                    throw .notSupportedByBroker("subscription identifiers")
                }
            }
            properties.append(subscriptions.entries[operation]?.userProperties ?? [])
        }
        return Subscribe(
            packetID: packetID, properties: properties, subscriptions: list.map { subscriptions.merged($0).codec })
    }

    func checkSize(_ bytes: Int) throws(MQTTClientError) {
        guard let limit = limits.maximumPacketSize, bytes > limit else { return }
        throw .packetTooLarge(bytes: bytes, limit: limit)
    }
}
