import NIOCore
import QUICTransport

/// The requests that wait for their answers (MQTT 5 4.10).
struct RequestTable {
    struct Request {
        let operation: ClientOperation
        let message: MQTTMessage
        let topic: String
        let continuation: ClientRuntime.Continuation<MQTTMessage>
        let timer: Timer
    }

    enum Place {
        /// The request waits until the answers are subscribed to.
        case subscribing(ClientOperation)
        case ready(ClientOperation)

        var operation: ClientOperation {
            switch self {
            case .subscribing(let operation), .ready(let operation): operation
            }
        }
    }

    /// How many response topics are kept. With more, those that no request waits at are given up.
    static let mostTopics = 16

    /// By correlation data.
    var waiting: [ByteBuffer: Request] = [:]
    /// By response topic. One is kept as long as the client is connected, unless others need its place.
    var topics: [String: Place] = [:]
    /// What the broker offers to begin response topics with.
    var responseInformation: String?
    private var counter: UInt64 = 0
    private let mark = UInt64.random(in: .min ... .max)

    func contains(_ operation: ClientOperation) -> Bool {
        waiting.values.contains { $0.operation == operation }
    }

    func isForAnswers(_ subscription: ClientOperation) -> Bool {
        topics.values.contains { $0.operation == subscription }
    }

    /// A response topic that has to make room for another one; `nil` if there is room, or requests wait at all of them.
    var topicToGiveUp: String? {
        guard topics.count >= Self.mostTopics else { return nil }
        let inUse = Set(waiting.values.map(\.topic))
        return topics.keys.first { !inUse.contains($0) }
    }

    mutating func nextCorrelation() -> ByteBuffer {
        counter += 1
        var bytes = ByteBuffer()
        bytes.writeInteger(mark)
        bytes.writeInteger(counter)
        return bytes
    }

    /// The client's own response topic.
    func ownTopic(clientID: String) -> String {
        let mark = String(mark, radix: 36)
        guard let responseInformation else { return "response/\(clientID.withoutWildcards)/\(mark)" }
        return responseInformation.hasSuffix("/") ? responseInformation + mark : "\(responseInformation)/\(mark)"
    }
}

extension String {
    /// A client identifier may hold what a topic cannot.
    fileprivate var withoutWildcards: String {
        String(map { "+#/".contains($0) ? "_" : $0 })
    }
}
