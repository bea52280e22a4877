import BridgeConfig

/// One `-D` of a tool: a property of MQTT 5.0 and the packet that it goes into.
struct ToolProperty: Equatable, Sendable {
    /// The packets that a property can be asked for.
    enum Command: String, CaseIterable, Sendable {
        case connect, publish, subscribe, unsubscribe, disconnect, will
    }

    enum Name: String, CaseIterable, Sendable {
        case payloadFormat = "payload-format-indicator"
        case messageExpiry = "message-expiry-interval"
        case contentType = "content-type"
        case responseTopic = "response-topic"
        case correlationData = "correlation-data"
        case subscriptionIdentifier = "subscription-identifier"
        case sessionExpiry = "session-expiry-interval"
        case willDelay = "will-delay-interval"
        case receiveMaximum = "receive-maximum"
        case maximumPacketSize = "maximum-packet-size"
        case userProperty = "user-property"

        /// The packets that may have it (MQTT 5 2.2.2.2).
        var commands: [Command] {
            switch self {
            case .payloadFormat, .messageExpiry, .contentType, .responseTopic, .correlationData: [.publish, .will]
            case .subscriptionIdentifier: [.subscribe]
            case .sessionExpiry: [.connect, .disconnect]
            case .willDelay: [.will]
            case .receiveMaximum, .maximumPacketSize: [.connect]
            case .userProperty: Command.allCases
            }
        }
    }

    var command: Command
    var name: Name
    var value: String
    /// The name of a user property; empty for the others.
    var key = ""

    /// The properties that the specification has and this program does not send, each with the reason.
    private static let refused: [String: String] = [
        "authentication-method": "the client speaks no extended authentication",
        "authentication-data": "the client speaks no extended authentication",
        "request-problem-information": "the client always takes what the broker says about a problem",
        "request-response-information": "the client asks for no response topic of the broker's",
        "topic-alias": "the client sends every topic in full",
        "topic-alias-maximum": "the client takes no topic aliases",
        "reason-string": "the client sends no reasons",
    ]

    /// - Parameter text: The words of the option, joined by ``ToolArguments/separator``.
    init(_ text: String) throws(UsageError) {
        let words = text.split(separator: ToolArguments.separator, omittingEmptySubsequences: false).map(String.init)
        guard words.count >= 3 else {
            throw UsageError("-D needs a packet, a property and its value, such as: -D publish content-type text/plain")
        }
        command = try Self.command(words[0])
        name = try Self.name(words[1])
        guard name.commands.contains(command) else {
            let places = name.commands.map { $0.rawValue.uppercased() }.joined(separator: " and ")
            throw UsageError("\(name.rawValue) is not a property of \(words[0].uppercased()), but of \(places)")
        }
        if name == .userProperty {
            guard words.count == 4 else {
                throw UsageError("user-property needs a name and a value: -D \(words[0]) user-property NAME VALUE")
            }
            key = words[2]
        }
        value = words[words.count - 1]
    }

    private static func command(_ text: String) throws(UsageError) -> Command {
        if let command = Command(rawValue: text.lowercased()) { return command }
        let names = Command.allCases.map(\.rawValue).joined(separator: ", ")
        if ["puback", "pubrec", "pubrel", "pubcomp", "auth"].contains(text.lowercased()) {
            throw UsageError("properties of \(text.uppercased()) cannot be set; -D takes those of \(names)")
        }
        throw UsageError("\"\(text)\" is not a packet that -D has properties of; those are \(names)")
    }

    private static func name(_ text: String) throws(UsageError) -> Name {
        if let name = Name(rawValue: text.lowercased()) { return name }
        if let reason = refused[text.lowercased()] {
            throw UsageError("\(text.lowercased()) cannot be set, because \(reason)")
        }
        throw UsageError(
            "\"\(text)\" is not a property; \(NearestName.advice(text, in: Name.allCases.map(\.rawValue)))")
    }
}
