import DequeModule

/// The QoS 1 messages of one device that have no PUBACK yet, in the order in which they were due. Those at the end may
/// not have been sent.
///
/// Packet identifiers follow each other, so an acknowledgement is found without a search. A message that is
/// acknowledged out of order keeps its place until those before it are acknowledged.
package struct UnacknowledgedMessages {
    package struct Message: Equatable, Sendable {
        package var sequence: UInt32
        package var packetID: UInt16
        /// When it was due, in nanoseconds.
        package var due: Int64
        /// Whether it has been sent, perhaps on an earlier connection.
        package var isRepeated = false
        fileprivate var isAcknowledged = false
    }

    /// How many messages wait at most.
    package static let limit = 10_000
    /// Packet identifiers 1...`identifiers` are used.
    static let identifiers: UInt16 = 60_000

    private var messages: Deque<Message> = []
    private var firstUnsent = 0
    private var lastPacketID: UInt16 = 0
    /// How many have been sent on this connection and are not acknowledged.
    package private(set) var inFlight = 0

    package init() {}

    /// How many are not acknowledged, sent or not.
    package private(set) var count = 0
    /// Whether `takeUnsent()` may return one.
    package var hasUnsent: Bool { firstUnsent < messages.count }

    /// Adds a message that is to be sent.
    /// - Returns: Whether there was room for it.
    package mutating func append(sequence: UInt32, due: Int64) -> Bool {
        guard messages.count < Self.limit else { return false }
        lastPacketID = lastPacketID % Self.identifiers + 1
        messages.append(Message(sequence: sequence, packetID: lastPacketID, due: due))
        count += 1
        return true
    }

    /// The next message to send, which then counts as sent.
    package mutating func takeUnsent() -> Message? {
        while firstUnsent < messages.count {
            let message = messages[firstUnsent]
            messages[firstUnsent].isRepeated = true
            firstUnsent += 1
            guard !message.isAcknowledged else { continue }
            inFlight += 1
            return message
        }
        return nil
    }

    /// - Returns: The message that the identifier belongs to; `nil` if none was sent that is not acknowledged.
    package mutating func acknowledge(_ packetID: UInt16) -> Message? {
        guard let first = messages.first, (1...Self.identifiers).contains(packetID) else { return nil }
        let distance = Int(packetID) - Int(first.packetID)
        let index = distance < 0 ? distance + Int(Self.identifiers) : distance
        guard index < firstUnsent, !messages[index].isAcknowledged else { return nil }
        let message = messages[index]
        messages[index].isAcknowledged = true
        inFlight -= 1
        count -= 1
        while firstUnsent > 0, let first = messages.first, first.isAcknowledged {
            messages.removeFirst()
            firstUnsent -= 1
        }
        return message
    }

    /// Has everything that is not acknowledged sent again on the next connection, with the same packet identifiers
    /// ([MQTT-4.4.0-1]).
    package mutating func connectionLost() {
        firstUnsent = 0
        inFlight = 0
    }
}
