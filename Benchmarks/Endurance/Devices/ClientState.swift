import MQTTCodec

/// What an MQTT client has to remember of its session: messages that are not acknowledged, and messages with QoS 2 that
/// it has received (MQTT 5 4.1). Pure.
package struct ClientState: Sendable {
    /// What the other side has said about a message.
    package enum Phase: Sendable, Equatable {
        case queued
        case published
        /// PUBREC has come.
        case released
    }

    private struct Entry: Sendable {
        let message: Message
        var packetID: UInt16 = 0
        var phase = Phase.queued
        var isDuplicate = false
    }

    /// What is to be sent.
    package enum Output: Sendable, Equatable {
        case publish(Message, packetID: UInt16, isDuplicate: Bool)
        case release(packetID: UInt16)
    }

    /// In the order of sending.
    private var entries: [Entry] = []
    private var lastID: UInt16 = 0
    private var received: Set<UInt16> = []
    /// How many messages may be unacknowledged at once.
    package var receiveMaximum = 65_535

    package init() {}

    /// Messages that are not acknowledged, also those that have not been sent.
    package var count: Int { entries.count }

    package mutating func enqueue(_ message: Message) {
        entries.append(Entry(message: message))
    }

    /// The next message that may be sent now.
    package mutating func next() -> Output? {
        guard let index = entries.firstIndex(where: { $0.phase == .queued }), index < receiveMaximum else { return nil }
        if entries[index].packetID == 0 { entries[index].packetID = freeID() }
        entries[index].phase = .published
        return .publish(
            entries[index].message, packetID: entries[index].packetID, isDuplicate: entries[index].isDuplicate)
    }

    /// A connection has been accepted.
    ///
    /// - Parameter isResumed: whether the broker continues the session. Otherwise what has been sent is given up.
    /// - Returns: what is to be sent before anything else, and what was given up.
    package mutating func connected(isResumed: Bool) -> (outputs: [Output], abandoned: [Message]) {
        guard isResumed else {
            received = []
            let abandoned = entries.filter { $0.phase != .queued || $0.isDuplicate }.map(\.message)
            entries.removeAll { $0.phase != .queued || $0.isDuplicate }
            return ([], abandoned)
        }
        var outputs: [Output] = []
        for index in entries.indices {
            switch entries[index].phase {
            case .queued: break
            case .published:
                entries[index].phase = .queued
                entries[index].isDuplicate = true
            case .released: outputs.append(.release(packetID: entries[index].packetID))
            }
        }
        return (outputs, [])
    }

    /// PUBACK or PUBCOMP has come.
    ///
    /// - Returns: the message that is finished.
    package mutating func finished(_ packetID: UInt16) -> Message? {
        guard let index = entries.firstIndex(where: { $0.packetID == packetID && $0.phase != .queued }) else {
            return nil
        }
        return entries.remove(at: index).message
    }

    /// PUBREC has come, which PUBREL answers in any case (MQTT 5 4.3.3).
    package mutating func recorded(_ packetID: UInt16) -> Output {
        if let index = entries.firstIndex(where: { $0.packetID == packetID && $0.phase == .published }) {
            entries[index].phase = .released
        }
        return .release(packetID: packetID)
    }

    /// A PUBLISH with QoS 2 has come.
    ///
    /// - Returns: whether it is a new message.
    package mutating func received(_ packetID: UInt16) -> Bool { received.insert(packetID).inserted }

    /// PUBREL has come.
    package mutating func released(_ packetID: UInt16) { received.remove(packetID) }

    private mutating func freeID() -> UInt16 {
        repeat { lastID = lastID == .max ? 1 : lastID + 1 } while entries.contains { $0.packetID == lastID }
        return lastID
    }
}
