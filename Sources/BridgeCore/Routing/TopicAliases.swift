/// The topic aliases of one direction (MQTT 5 3.3.2.3.4), with the fate of the topic that each of them stands for.
struct TopicAliases: Sendable {
    enum Entry: Sendable, Equatable {
        /// The receiver has been sent the topic with the alias, so the alias is enough from now on. `routeIndex` is
        /// `nil` if no route matched.
        case known(routeIndex: Int?)
        /// The message that set the alias was not forwarded, so the next one has to bring the receiver the topic.
        case held(topic: String, routeIndex: Int?)
        case dropped
        case refused
        case denied(PlatformFinding)
    }

    /// The bound on the bytes of held topics, over all aliases. A topic is held only if its message is refused for
    /// another reason than the topic. Beyond the bound, the topic of such a message is refused as well.
    static let maximumHeldBytes = 262_144

    /// The highest alias that the receiver accepts; 0 if it accepts none ([MQTT-3.1.2-26], [MQTT-3.2.2-17]).
    var maximum: UInt16 = 0
    private var entries: [UInt16: Entry] = [:]
    private(set) var heldBytes = 0

    subscript(alias: UInt16) -> Entry? { entries[alias] }

    /// Whether the receiver accepts that alias ([MQTT-3.3.2-8], [MQTT-3.3.2-9]).
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
