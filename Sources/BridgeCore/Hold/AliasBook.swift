import MQTTCodec

/// What the device's topic aliases stand for, as the broker names the topics (MQTT 5 3.3.2.3.4). They live as long as
/// the device's connection, and so longer than a leg.
struct AliasBook: Sendable {
    /// Bytes of topics. A device that sets more has aliases that the bridge could not explain to the broker on another
    /// leg, so its session can't be held.
    static let maximumBytes = 262_144

    /// The Topic Alias Maximum of this leg.
    var maximum: UInt16
    private var topics: [UInt16: String] = [:]
    private var bytes = 0
    /// The aliases that the broker knows on this leg.
    private var established: Set<UInt16> = []
    private(set) var isOverflown = false

    init(maximum: UInt16) {
        self.maximum = maximum
    }

    subscript(alias: UInt16) -> String? { topics[alias] }

    mutating func set(_ alias: UInt16, _ topic: String) {
        bytes -= topics.removeValue(forKey: alias)?.utf8.count ?? 0
        established.remove(alias)
        guard bytes + topic.utf8.count <= Self.maximumBytes else {
            isOverflown = true
            return
        }
        bytes += topic.utf8.count
        topics[alias] = topic
    }

    func isEstablished(_ alias: UInt16) -> Bool { established.contains(alias) }

    /// Notes that the broker is sent the topic with the alias. Returns false if the broker does not accept such an
    /// alias.
    mutating func establish(_ alias: UInt16) -> Bool {
        guard alias > 0, alias <= maximum else { return false }
        established.insert(alias)
        return true
    }

    /// Another leg begins, on which the broker knows no alias.
    mutating func startAnew(maximum: UInt16) {
        self.maximum = maximum
        established = []
    }
}
