import DequeModule

/// The messages that came in with QoS 1 and 2, and what the broker is owed for them.
///
/// A message is acknowledged when the application has taken it, in the order in which they came ([MQTT-4.6.0-2],
/// [MQTT-4.6.0-3]). A message of QoS 2 is passed on when its PUBLISH comes; its packet identifier is then kept until
/// PUBREL, over lost connections as well, so that it is not passed on again.
///
/// A broker may have forgotten a message when its client is back, such as one that has expired. An identifier of an
/// earlier connection therefore counts only if the broker still uses it for that message: it then sends the same
/// message with DUP ([MQTT-3.3.1-1]), or PUBREL.
package struct IncomingFlow: Sendable {
    /// A message that the application has not taken yet.
    package struct Delivery: Hashable, Sendable {
        let number: UInt64
    }

    enum Answer: Equatable, Sendable {
        case puback(UInt16)
        case pubrec(UInt16)
    }

    enum Receipt: Equatable {
        /// The message is new, and to be passed on.
        case new(Delivery)
        /// It was passed on before. These answers are due.
        case known([Answer])
        /// The broker sent more than it was allowed to.
        case tooMany
    }

    private struct Due: Sendable {
        let delivery: Delivery
        let answer: Answer
        var isTaken: Bool
    }

    private struct Exact: Sendable {
        /// `nil` if the application has taken it.
        var untaken: Delivery?
        /// Of topic and payload. The packet identifier of a forgotten message may be that of another one, of which only
        /// a repetition has come.
        let fingerprint: Int

        init(_ message: MQTTMessage, _ delivery: Delivery) {
            untaken = delivery
            fingerprint = Self.fingerprint(of: message)
        }

        func isRepeated(by message: MQTTMessage) -> Bool {
            message.qos == .exactlyOnce && message.isDuplicate && fingerprint == Self.fingerprint(of: message)
        }

        private static func fingerprint(of message: MQTTMessage) -> Int {
            var hasher = Hasher()
            hasher.combine(message.topic)
            hasher.combine(message.payload)
            return hasher.finalize()
        }
    }

    /// In the order of arrival on this connection.
    private var due: Deque<Due> = []
    /// The messages of QoS 2 of this connection that PUBREL has not come for.
    private var exact: [UInt16: Exact] = [:]
    /// Those of earlier connections.
    private var earlier: [UInt16: Exact] = [:]
    private var lastNumber: UInt64 = 0
    /// How many messages of QoS 1 are in `due`.
    private var owedPubacks = 0
    private let maximum: Int

    /// - Parameter maximum: How many messages may be unacknowledged; `nil` if the broker was not told.
    init(maximum: Int?) {
        self.maximum = maximum ?? .max
    }

    /// Whether messages wait for the application to take them.
    var owesAcknowledgements: Bool { !due.isEmpty }

    /// How many messages the broker has sent that do not have their last acknowledgement.
    private var open: Int { owedPubacks + exact.count }

    /// A PUBLISH of QoS 1 or 2 has come.
    mutating func received(_ message: MQTTMessage, _ packetID: UInt16) -> Receipt {
        let isExact = message.qos == .exactlyOnce
        if isExact, let known = exact[packetID] { return .known(again(packetID, known)) }
        guard open < maximum else { return .tooMany }
        if let known = earlier.removeValue(forKey: packetID), known.isRepeated(by: message) {
            exact[packetID] = known
            return .known(again(packetID, known))
        }
        lastNumber += 1
        let delivery = Delivery(number: lastNumber)
        if isExact { exact[packetID] = Exact(message, delivery) } else { owedPubacks += 1 }
        due.append(Due(delivery: delivery, answer: isExact ? .pubrec(packetID) : .puback(packetID), isTaken: false))
        return .new(delivery)
    }

    private mutating func again(_ packetID: UInt16, _ known: Exact) -> [Answer] {
        let answer = Answer.pubrec(packetID)
        guard !due.contains(where: { $0.answer == answer }) else { return [] }
        if let delivery = known.untaken {
            due.append(Due(delivery: delivery, answer: answer, isTaken: false))
        } else {
            lastNumber += 1
            due.append(Due(delivery: Delivery(number: lastNumber), answer: answer, isTaken: true))
        }
        return answers()
    }

    /// The application has taken a message, or does not want it any more.
    mutating func taken(_ delivery: Delivery) -> [Answer] {
        guard let index = due.firstIndex(where: { $0.delivery == delivery }) else {
            takenLate(delivery)
            return []
        }
        due[index].isTaken = true
        if case .pubrec(let packetID) = due[index].answer { exact[packetID]?.untaken = nil }
        return answers()
    }

    /// The connection that the message came on is gone. Its PUBREC is due when the broker has sent it again.
    private mutating func takenLate(_ delivery: Delivery) {
        guard let packetID = earlier.first(where: { $0.value.untaken == delivery })?.key else { return }
        earlier[packetID]?.untaken = nil
    }

    private mutating func answers() -> [Answer] {
        var answers: [Answer] = []
        while let first = due.first, first.isTaken {
            answers.append(first.answer)
            if case .puback = first.answer { owedPubacks -= 1 }
            due.removeFirst()
        }
        return answers
    }

    /// PUBREL has come.
    /// - Returns: Whether the packet identifier was known.
    mutating func released(_ packetID: UInt16) -> Bool {
        due.removeAll { $0.answer == .pubrec(packetID) }
        let present = exact.removeValue(forKey: packetID)
        let past = earlier.removeValue(forKey: packetID)
        return present != nil || past != nil
    }

    /// The connection is gone. The broker sends again what it got no acknowledgement for.
    mutating func connectionLost() {
        due = []
        owedPubacks = 0
        earlier.merge(exact) { $1 }
        exact = [:]
    }

    /// The broker has no session any more.
    mutating func sessionLost() {
        connectionLost()
        earlier = [:]
    }
}
