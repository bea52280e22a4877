/// What the broker was last told of each filter, so that it can be told what is different now.
///
/// Several subscriptions to a filter are one at the broker. When one of them goes, the broker may still have its
/// options and its identifier, or a filter that nobody wants any more.
struct FilterLedger: Sendable {
    /// What has to be sent so that the broker knows what the subscriptions need.
    struct Corrections: Equatable {
        var unsubscribe: [String] = []
        /// The filters that become those of a subscription.
        var refresh: [ClientOperation: [String]] = [:]
    }

    private enum Told: Equatable {
        case subscribed(SubscriptionTable.Shared)
        /// The connection was lost while the broker was being told.
        case unknown
    }

    /// Bounded by what the broker has: a filter is forgotten when it is unsubscribed from.
    private var told: [String: Told] = [:]
    /// The filters that may have to be corrected.
    private var open: Set<String> = []

    /// Whether there is nothing to look at.
    var isSettled: Bool { open.isEmpty }

    /// A SUBSCRIBE is being sent.
    mutating func subscribes(_ operation: ClientOperation, _ list: [MQTTSubscription]) {
        for subscription in list {
            told[subscription.filter] = .subscribed(.init(owner: operation, subscription: subscription))
            open.insert(subscription.filter)
        }
    }

    /// An UNSUBSCRIBE is being sent.
    mutating func unsubscribes(_ filters: [String]) {
        for filter in filters { told[filter] = nil }
        open.formUnion(filters)
    }

    /// The connection was lost before the broker answered a request for these filters.
    mutating func doubts(_ filters: [String]) {
        for filter in filters { told[filter] = .unknown }
        open.formUnion(filters)
    }

    /// Subscriptions to these filters have gone.
    mutating func changed(_ filters: [String]) { open.formUnion(filters) }

    /// The broker did not accept these filters, or was not sent them, and has kept what it had.
    ///
    /// - Parameter subscriptions: Those that are left.
    mutating func refused(_ filters: [String], _ subscriptions: SubscriptionTable) {
        for filter in filters { told[filter] = subscriptions.shared(filter).map { .subscribed($0) } }
        open.formUnion(filters)
    }

    /// The broker has no session any more, or nobody cares.
    mutating func forget() { self = FilterLedger() }

    /// What has to be sent now; it then counts as looked at.
    ///
    /// - Parameters:
    ///   - busy: The filters that requests wait for. Their turn comes with the answer.
    ///   - optionsMatter: Whether a filter is subscribed to again only for the sake of its options and identifier.
    mutating func corrections(
        _ subscriptions: SubscriptionTable, except busy: Set<String>, optionsMatter: Bool
    ) -> Corrections {
        var corrections = Corrections()
        for filter in open.subtracting(busy).sorted() {
            open.remove(filter)
            let known = told[filter]
            guard let wanted = subscriptions.shared(filter) else {
                if known != nil { corrections.unsubscribe.append(filter) }
                continue
            }
            let isDifferent = known != .subscribed(wanted)
            if known == nil || known == .unknown || (optionsMatter && isDifferent) {
                corrections.refresh[wanted.owner, default: []].append(filter)
            }
        }
        return corrections
    }
}
