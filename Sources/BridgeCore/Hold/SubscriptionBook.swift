import MQTTCodec
import NIOCore

/// What the broker has granted the device, by remote filter, so that it can be asked for again if the broker has
/// forgotten it.
///
/// Bounded by the bytes of one session and of all together; a session that has more can't be held.
struct SubscriptionBook: Sendable {
    private struct Granted {
        /// The options as SUBSCRIBE carries them (MQTT 5 3.8.3.1).
        var subscription: Options
        /// The subscription identifier; 0 means none.
        var identifier: UInt32
    }

    private struct Options {
        var qos: QoS
        var noLocal: Bool
        var retainAsPublished: Bool
        var retainHandling: UInt8
    }

    /// What an entry costs besides its filter.
    private static let overhead = 96
    /// The limits of one SUBSCRIBE of the bridge's own, which every broker accepts.
    private static let maximumFilters = 64
    private static let maximumLength = 4_096

    private let limit: Int
    private let share: HoldShare
    private var filters: [ExactText: Granted] = [:]
    private(set) var isOverflown = false

    init(_ policy: HoldPolicy) {
        limit = policy.configuration.buffer
        share = HoldShare(policy.budget)
    }

    var isEmpty: Bool { filters.isEmpty && !isOverflown }
    var count: Int { filters.count }
    /// The bytes that the filters are charged with.
    var bytes: Int { share.bytes }
    /// The remote filters, in a fixed order.
    var names: [String] { filters.keys.map(\.text).sorted() }

    /// The broker answered SUBSCRIBE.
    mutating func granted(_ subscribe: Subscribe, codes: [UInt8]) {
        let identifier = subscribe.properties.subscriptionIdentifiers.first ?? 0
        for (subscription, code) in zip(subscribe.subscriptions, codes) where code < 0x80 {
            set(
                subscription.filter,
                Granted(
                    subscription: Options(
                        qos: subscription.qos, noLocal: subscription.noLocal,
                        retainAsPublished: subscription.retainAsPublished, retainHandling: subscription.retainHandling),
                    identifier: identifier))
        }
    }

    private mutating func set(_ filter: String, _ granted: Granted) {
        let key = ExactText(text: filter)
        if filters.updateValue(granted, forKey: key) != nil { return }
        let cost = filter.utf8.count + Self.overhead
        // Other sessions may have filled the budget for a moment, and that must not count for ever.
        if share.bytes + cost > limit {
            filters[key] = nil
            isOverflown = true
        } else {
            share.charge(cost)
        }
    }

    /// The broker answered a request that was not kept.
    mutating func overflow() {
        isOverflown = true
    }

    /// The broker answered UNSUBSCRIBE; in 3.1 and 3.1.1 there are no codes.
    mutating func ended(_ unsubscribe: Unsubscribe, codes: [UInt8]) {
        for (index, filter) in unsubscribe.filters.enumerated() {
            guard codes.isEmpty || codes.dropFirst(index).first ?? 0 < 0x80 else { continue }
            if filters.removeValue(forKey: ExactText(text: filter)) != nil {
                share.giveBack(filter.utf8.count + Self.overhead)
            }
        }
    }

    /// Makes SUBSCRIBE packets for all of them, still without packet identifiers, with the device's own options: a retained
    /// message may have changed meanwhile, so the device is sent it again unless it never wanted any (Retain Handling 2,
    /// MQTT 5 3.8.3.1). The order is fixed, so that the same filters always make the same packets.
    func requests() -> [Subscribe] {
        var requests: [Subscribe] = []
        var present = Subscribe(packetID: 1, subscriptions: [])
        var identifier: UInt32 = 0
        var length = 0
        let sorted = filters.sorted { a, b in
            a.value.identifier == b.value.identifier
                ? a.key.text.utf8.lexicographicallyPrecedes(b.key.text.utf8) : a.value.identifier < b.value.identifier
        }
        for (key, granted) in sorted {
            let filter = key.text
            let isFull = present.subscriptions.count >= Self.maximumFilters || length >= Self.maximumLength
            if !present.subscriptions.isEmpty, isFull || granted.identifier != identifier {
                requests.append(present)
                present.subscriptions = []
                length = 0
            }
            identifier = granted.identifier
            present.properties = identifier == 0 ? [] : [.subscriptionIdentifier(identifier)]
            present.subscriptions.append(
                Subscription(
                    filter: filter, qos: granted.subscription.qos, noLocal: granted.subscription.noLocal,
                    retainAsPublished: granted.subscription.retainAsPublished,
                    retainHandling: granted.subscription.retainHandling))
            length += filter.utf8.count + 3
        }
        if !present.subscriptions.isEmpty { requests.append(present) }
        return requests
    }
}
