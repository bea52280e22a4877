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
        unsentRequests.removeAll { request in
            switch request {
            case .subscribe(subscription, _, _), .refresh(subscription, _): true
            default: false
            }
        }
        for (packetID, request) in sentRequests {
            guard case .subscribe(subscription, let list, _) = request else { continue }
            sentRequests[packetID] = .undo(subscription, list)
        }
        ledger.changed(subscriptions.remove(subscription))
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
}
