// Two subscriptions to one filter are one at the broker: the later SUBSCRIBE replaces the earlier one, with all of its
// options (MQTT 5 3.8.4).
extension SubscriptionTable {
    /// What the broker is to know of a filter.
    struct Shared: Equatable {
        /// The last that was made. Its identifier is that of the filter.
        var owner: ClientOperation
        var subscription: MQTTSubscription
    }

    /// `nil` if nobody is subscribed to that filter.
    func shared(_ filter: String) -> Shared? {
        var owner: Shared?
        for (operation, entry) in inOrder {
            guard let wish = entry.subscriptions.last(where: { $0.filter == filter }) else { continue }
            owner = Shared(owner: operation, subscription: wish)
        }
        guard var owner else { return nil }
        owner.subscription = merged(owner.subscription)
        return owner
    }

    /// A wish, with the options of the other subscriptions to its filter, so that none of them gets less than it asked
    /// for.
    func merged(_ wish: MQTTSubscription) -> MQTTSubscription {
        var merged = wish
        for other in entries.values.flatMap(\.subscriptions) where other.filter == wish.filter {
            merged.qos = max(merged.qos, other.qos)
            merged.noLocal = merged.noLocal && other.noLocal
            merged.retainAsPublished = merged.retainAsPublished || other.retainAsPublished
        }
        return merged
    }
}
