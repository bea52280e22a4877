// Two subscriptions to one filter are one at the broker: the later SUBSCRIBE replaces the earlier one, with all of its
// options (MQTT 5 3.8.4).
extension SubscriptionTable {
    /// What the broker is to know of a filter, but for the retain handling, which belongs to one SUBSCRIBE only.
    struct Shared: Equatable, Sendable {
        /// The last that was made. Its identifier is that of the filter.
        let owner: ClientOperation
        let subscription: MQTTSubscription

        init(owner: ClientOperation, subscription: MQTTSubscription) {
            self.owner = owner
            var subscription = subscription
            subscription.retainHandling = .always
            self.subscription = subscription
        }
    }

    /// `nil` if nobody is subscribed to that filter.
    func shared(_ filter: String) -> Shared? {
        let users = entries.filter { $0.value.subscriptions.contains { $0.filter == filter } }
        guard let owner = users.max(by: { $0.key < $1.key }),
            let wish = owner.value.subscriptions.last(where: { $0.filter == filter })
        else { return nil }
        return Shared(owner: owner.key, subscription: merged(wish))
    }

    /// A wish, with the options of the other subscriptions to its filter, so that none of them gets less than it asked
    /// for.
    func merged(_ wish: MQTTSubscription) -> MQTTSubscription {
        var merged = wish
        for entry in entries.values {
            for other in entry.subscriptions where other.filter == wish.filter {
                merged.qos = max(merged.qos, other.qos)
                merged.noLocal = merged.noLocal && other.noLocal
                merged.retainAsPublished = merged.retainAsPublished || other.retainAsPublished
            }
        }
        return merged
    }
}
