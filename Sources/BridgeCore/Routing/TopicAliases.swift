/// The topic aliases of one direction (MQTT 5 3.3.2.3.4): what became of the topic each stands for.
struct TopicAliases: Sendable {
    enum Entry: Sendable, Equatable {
        /// The receiver was sent the topic with the alias, so the alias is enough from now on. `nil`: by no route.
        case known(routeIndex: Int?)
        /// The topic is forwarded, but the message that set the alias was not: the next one brings the topic.
        case held(topic: String, routeIndex: Int?)
        case dropped
        case refused
    }

    /// Bytes of held topics, over all aliases. It takes messages that are refused for another reason than their topic
    /// to hold any; beyond the bound the topic of such a message is refused like the message.
    static let maximumHeldBytes = 262_144

    /// The highest alias that the receiver takes; 0 where it takes none ([MQTT-3.1.2-26], [MQTT-3.2.2-17]).
    var maximum: UInt16 = 0
    private var entries: [UInt16: Entry] = [:]
    private(set) var heldBytes = 0

    subscript(alias: UInt16) -> Entry? { entries[alias] }

    /// Whether the receiver takes that alias [MQTT-3.3.2-8], [MQTT-3.3.2-9].
    func isAllowed(_ alias: UInt16) -> Bool {
        alias > 0 && alias <= maximum
    }

    mutating func set(_ alias: UInt16, to entry: Entry) {
        if case .held(let topic, _)? = entries[alias] {
            heldBytes -= topic.utf8.count
        }
        var entry = entry
        if case .held(let topic, _) = entry {
            if heldBytes + topic.utf8.count > Self.maximumHeldBytes {
                entry = .refused
            } else {
                heldBytes += topic.utf8.count
            }
        }
        entries[alias] = entry
    }
}
