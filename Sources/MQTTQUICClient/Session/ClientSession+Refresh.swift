// When one of several subscriptions to a filter is let go of, the broker still has its options, and the identifier if
// it was the last one. SUBSCRIBE then gives the filter to one that remains. MQTT 3.1.1 has no identifiers, and cannot
// ask that retained messages are not sent again, so nothing is done there.
extension ClientSession {
    /// Lets go of a subscription. What the broker has to know of filters that others still use is put in line.
    ///
    /// - Returns: The filters that nobody is subscribed to any more.
    mutating func remove(_ subscription: ClientOperation) -> [String] {
        let filters = subscriptions.entries[subscription]?.subscriptions.map(\.filter) ?? []
        let before = filters.map { subscriptions.shared($0) }
        let unused = subscriptions.remove(subscription)
        refresh(zip(filters, before).filter { subscriptions.shared($0) != $1 }.map(\.0))
        return unused
    }

    /// Gives filters to the subscriptions that remain, as far as there are some.
    mutating func refresh(_ filters: [String]) {
        guard version.hasProperties else { return }
        var refreshed: [ClientOperation: [String]] = [:]
        for filter in filters {
            // One whose own SUBSCRIBE is on its way does it itself.
            guard let owner = subscriptions.shared(filter)?.owner, subscriptions.entries[owner]?.isGranted == true
            else { continue }
            refreshed[owner, default: []].append(filter)
        }
        for (owner, filters) in refreshed.sorted(by: { $0.key < $1.key }) {
            unsentRequests.append(.refresh(owner, filters))
        }
    }

    /// What a refresh has to ask for when its turn has come. A filter that the application unsubscribes from meanwhile
    /// is left alone.
    func subscriptions(of refresh: [String], _ owner: ClientOperation) -> [MQTTSubscription] {
        let leaving = (unsentRequests + sentRequests.values).flatMap { request -> [String] in
            if case .unsubscribe(_, let filters, _, _) = request { filters } else { [] }
        }
        return refresh.compactMap { filter in
            guard let shared = subscriptions.shared(filter), shared.owner == owner, !leaving.contains(filter) else {
                return nil
            }
            var subscription = shared.subscription
            // The retained messages have come already.
            subscription.retainHandling = .never
            return subscription
        }
    }
}
