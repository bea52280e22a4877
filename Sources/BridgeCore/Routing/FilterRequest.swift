import MQTTCodec
import NIOCore

/// What differs between SUBSCRIBE and UNSUBSCRIBE, whose filters are routed alike.
protocol FilterRequest {
    /// A filter with what the packet says about it.
    associatedtype Item: Equatable
    associatedtype Answer: FilterAnswer

    static var type: PacketType { get }
    static var answerType: PacketType { get }
    static var pending: WritableKeyPath<PacketRouter, PendingFilters> { get }

    var packetID: UInt16 { get }
    var items: [Item] { get set }

    static func filter(of item: Item) -> String
    static func map(_ item: Item, to filter: String, by route: ResolvedRoute?) -> Item
    /// Changes the remote filters that one of the device's became to what goes to the broker, since others of the
    /// device's may stand there too.
    ///
    /// - Returns: The highest code that the device may be given, if the broker is asked for more; else `nil`.
    static func settle(_ items: inout [Item], of filter: String, in standing: inout StandingFilters) -> UInt8?
    func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer

    /// Whether the answer has one code per filter.
    static func hasCodes(_ version: MQTTVersion) -> Bool
    /// The code for a filter that `unrouted: drop` keeps from the broker.
    static func codeForDropped(_ item: Item) -> UInt8
    /// The code for a refused filter; `nil` if this version of MQTT has none, and the device has to be closed.
    static func code(for reason: ReasonCode, _ version: MQTTVersion) -> UInt8?
    /// The device's code for one of its filters, made from the broker's codes for the remote filters that it became.
    static func merge(_ codes: ArraySlice<UInt8>) -> UInt8?
}

/// SUBACK or UNSUBACK.
protocol FilterAnswer: WordedPacket {
    var codes: [UInt8] { get set }
    init(packetID: UInt16, properties: Properties, codes: [UInt8])
    static func decode(_ frame: Frame, version: MQTTVersion, isLenient: Bool) throws(MQTTError) -> Self
}

extension Suback: FilterAnswer {}
extension Unsuback: FilterAnswer {}

extension Subscribe: FilterRequest {
    typealias Answer = Suback

    static var type: PacketType { .subscribe }
    static var answerType: PacketType { .suback }
    static var pending: WritableKeyPath<PacketRouter, PendingFilters> { \.pendingSubscribes }

    var items: [Subscription] {
        get { subscriptions }
        set { subscriptions = newValue }
    }

    static func filter(of item: Subscription) -> String { item.filter }

    static func map(_ item: Subscription, to filter: String, by route: ResolvedRoute?) -> Subscription {
        var mapped = item
        mapped.filter = filter
        if let route { mapped.qos = min(mapped.qos, route.qosCap) }
        return mapped
    }

    static func settle(
        _ items: inout [Subscription], of filter: String, in standing: inout StandingFilters
    ) -> UInt8? {
        var lowest = QoS.exactlyOnce
        var isMoreAsked = false
        for index in items.indices {
            let asked = standing.add(items[index], for: filter)
            lowest = min(lowest, items[index].qos)
            isMoreAsked = isMoreAsked || asked.qos > items[index].qos
            items[index] = asked
        }
        return isMoreAsked ? lowest.rawValue : nil
    }

    static func hasCodes(_ version: MQTTVersion) -> Bool { true }

    static func codeForDropped(_ item: Subscription) -> UInt8 { item.qos.rawValue }

    static func code(for reason: ReasonCode, _ version: MQTTVersion) -> UInt8? {
        switch version {
        case .v3_1: nil
        case .v3_1_1: 0x80
        case .v5_0: reason.rawValue
        }
    }

    /// The first failure, else the lowest QoS granted [MQTT-3.8.4-6].
    static func merge(_ codes: ArraySlice<UInt8>) -> UInt8? {
        codes.first { $0 >= 0x80 } ?? codes.min()
    }
}

extension Unsubscribe: FilterRequest {
    typealias Answer = Unsuback

    static var type: PacketType { .unsubscribe }
    static var answerType: PacketType { .unsuback }
    static var pending: WritableKeyPath<PacketRouter, PendingFilters> { \.pendingUnsubscribes }

    var items: [String] {
        get { filters }
        set { filters = newValue }
    }

    static func filter(of item: String) -> String { item }
    static func map(_ item: String, to filter: String, by route: ResolvedRoute?) -> String { filter }
    static func settle(_ items: inout [String], of filter: String, in standing: inout StandingFilters) -> UInt8? {
        items.removeAll { !standing.remove($0, for: filter) }
        return nil
    }

    static func hasCodes(_ version: MQTTVersion) -> Bool { version.hasProperties }
    static func codeForDropped(_ item: String) -> UInt8 { ReasonCode.success.rawValue }

    /// UNSUBACK cannot say "quota exceeded" (MQTT 5 3.11.3). In 3.1 and 3.1.1 it has no codes at all, and needs none to
    /// refuse a filter to which the device was never subscribed.
    static func code(for reason: ReasonCode, _ version: MQTTVersion) -> UInt8? {
        guard reason == .quotaExceeded else { return reason.rawValue }
        return version.hasProperties ? ReasonCode.implementationSpecificError.rawValue : nil
    }

    /// Success if the broker unsubscribed any of the remote filters, else what it says about the first.
    static func merge(_ codes: ArraySlice<UInt8>) -> UInt8? {
        codes.contains(0) ? 0 : codes.first
    }
}
