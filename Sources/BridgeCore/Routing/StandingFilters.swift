import MQTTCodec

/// Which filters of the device stand on which filter of the broker, and what each of them asked for.
///
/// Routes can make the same remote filter of several filters of the device: of `#` and of `commands/#`, if the only
/// route is that of `commands/#`. The broker then has one subscription for both. This sees to it that it lasts as long
/// as one of them needs it, and gives each of them what it asked for.
///
/// It is known only for the session at hand: a filter that the broker has kept from before is not known until the
/// device subscribes again.
///
/// A request counts from when it is sent, because others may follow before its answer. What the broker then refuses is
/// taken back, so that only what it granted lasts: a filter whose SUBSCRIBE is refused does not stand there, one whose
/// UNSUBSCRIBE is refused still does, and one that is granted a lower QoS asks no more for the higher one.
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
    /// How many changes may wait for the broker's answer at once. Those beyond that count as granted.
    static let maximumUnsettled = 4_096

    /// What becomes of a place if the broker does as it is asked. `nil` means that there is no such place.
    private struct Change {
        var before: Place?
        var after: Place?
    }

    private struct Request: Hashable {
        var type: PacketType
        var packetID: UInt16
    }

    private var places: [Place] = []
    /// The changes by the request that is being made, one for each remote filter in it.
    private var changes: [Change] = []
    private var unsettled: [Request: [Change]] = [:]
    private(set) var unsettledCount = 0

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
        changes.append(Change(before: own.map { places[$0] }, after: place))
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
        var change = Change()
        if !places.isEmpty {
            let (remote, local) = (Self.key(remote), Self.key(local))
            let own = places.firstIndex { $0.remote == remote && $0.local == local }
            change.before = own.map { places.remove(at: $0) }
            // A device without subscriptions takes no room.
            if places.isEmpty { places = [] }
            guard !places.contains(where: { $0.remote == remote }) else { return false }
        }
        changes.append(change)
        return true
    }

    /// The request is sent, with all that was added to it or removed by it.
    ///
    /// - Parameter isAnswered: Whether its answer says what the broker has done. If not, it has done as asked.
    mutating func sent(_ type: PacketType, _ packetID: UInt16, isAnswered: Bool) {
        defer { changes = [] }
        let request = Request(type: type, packetID: packetID)
        // A filter that is subscribed again as it was needs no answer. A device may also repeat a request (3.1), and the
        // first answer then says it all.
        guard isAnswered, changes.contains(where: { $0.before != $0.after }), unsettled[request] == nil,
            unsettledCount + changes.count <= Self.maximumUnsettled
        else { return }
        unsettled[request] = changes
        unsettledCount += changes.count
    }

    /// Whether the answer to a request has to be read.
    func awaits(_ type: PacketType, _ packetID: UInt16) -> Bool {
        !unsettled.isEmpty && unsettled[Request(type: type, packetID: packetID)] != nil
    }

    /// The broker has answered a request.
    ///
    /// - Parameter codes: One for each remote filter. Other answers say nothing.
    mutating func answered(_ type: PacketType, _ packetID: UInt16, _ codes: [UInt8]) {
        guard let changes = unsettled.removeValue(forKey: Request(type: type, packetID: packetID)) else { return }
        unsettledCount -= changes.count
        if unsettled.isEmpty { unsettled = [:] }
        guard codes.count == changes.count else { return }
        for (change, code) in zip(changes, codes) { settle(change, code) }
    }

    private mutating func settle(_ change: Change, _ code: UInt8) {
        guard let after = change.after else {
            guard code >= 0x80, let before = change.before, places.count < Self.maximumCount,
                !places.contains(where: { $0.remote == before.remote && $0.local == before.local })
            else { return }
            return places.append(before)
        }
        // If there is none, the device has asked for something else since.
        guard let index = places.firstIndex(of: after) else { return }
        if code < 0x80 {
            if let qos = QoS(rawValue: code), qos < after.qos { places[index].qos = qos }
        } else if let before = change.before {
            places[index] = before
        } else {
            places.remove(at: index)
            if places.isEmpty { places = [] }
        }
    }

    private static func key(_ filter: String) -> Int { ExactText(text: filter).hashValue }
}
