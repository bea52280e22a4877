import MQTTCodec

/// Which filters of the device stand on which filter of the broker, and what each of them asked for.
///
/// Routes can make the same remote filter of several filters of the device: of `#` and of `commands/#`, if the only
/// route is that of `commands/#`. The broker then has one subscription for both. This sees to it that it lasts as long
/// as one of them needs it, and gives each of them what it asked for.
///
/// It is known only for the session at hand: a filter that the broker has kept from before is not known until the
/// device subscribes again. Neither is it known whether the broker refused a filter, because an answer that passes
/// unchanged is not read. The same remote filter gets the same verdict whoever stands on it, unless the broker's rules
/// depend on the QoS: then a filter that was refused at a high QoS has another one asked for at that QoS.
struct StandingFilters: Sendable {
    /// A filter of the device on one remote filter. Hashes stand for their texts, so that a place takes 24 bytes,
    /// however long they are. A hash has 64 bits, and a seed that no device knows: no two filters have the same one.
    private struct Place: Equatable {
        var remote: Int
        var local: Int
        var qos: QoS
        var noLocal: Bool
    }

    /// How many places are kept. Filters beyond that are not noted: they share the broker's subscription as if they were
    /// one.
    static let maximumCount = 1_024

    private var places: [Place] = []

    var count: Int { places.count }

    /// Notes that one of the device's filters stands on a remote filter.
    ///
    /// - Parameters:
    ///   - subscription: The remote filter, with what the device's filter asks for there.
    ///   - local: The device's filter.
    /// - Returns: What to ask the broker for, so that all who stand there get what they asked for.
    mutating func add(_ subscription: Subscription, for local: String) -> Subscription {
        let place = Place(
            remote: Self.key(subscription.filter), local: Self.key(local), qos: subscription.qos,
            noLocal: subscription.noLocal)
        var asked = subscription
        var own: Int?
        var isShared = false
        for (index, other) in places.enumerated() where other.remote == place.remote {
            if other.local == place.local {
                own = index
            } else {
                isShared = true
                asked.qos = max(asked.qos, other.qos)
                asked.noLocal = asked.noLocal && other.noLocal
            }
        }
        if let own {
            if places[own] != place { places[own] = place }
            return asked
        }
        // What is new for the device is not new for the broker, which would send no retained messages (MQTT 5 3.8.3.1).
        if isShared, asked.retainHandling == 1 { asked.retainHandling = 0 }
        if places.count < Self.maximumCount { places.append(place) }
        return asked
    }

    /// Notes that one of the device's filters does not stand on a remote filter any more.
    ///
    /// The broker's subscription keeps a QoS that only this filter asked for. To lower it would take a SUBSCRIBE that
    /// the device did not send.
    ///
    /// - Returns: Whether the broker has to hear of it, because no other filter stands there.
    mutating func remove(_ remote: String, for local: String) -> Bool {
        guard !places.isEmpty else { return true }
        let (remote, local) = (Self.key(remote), Self.key(local))
        if let own = places.firstIndex(where: { $0.remote == remote && $0.local == local }) { places.remove(at: own) }
        // A device without subscriptions takes no room.
        if places.isEmpty { places = [] }
        return !places.contains { $0.remote == remote }
    }

    private static func key(_ filter: String) -> Int { ExactText(text: filter).hashValue }
}
