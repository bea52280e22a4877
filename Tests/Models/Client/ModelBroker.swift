import MQTTCodec
import MQTTQUICClient
import NIOCore

/// A broker that keeps its session over lost connections, as MQTT 5 4.3 and 4.4 want it. Each data stream has packet
/// identifiers of its own, which are gone with it.
package struct ModelBroker {
    /// When it passes a message of QoS 2 on: both are allowed (MQTT 5 4.3.3).
    package enum PassesOn: Sendable, CaseIterable {
        case atPublish, atPubrel
    }

    private struct Owed {
        let message: MQTTMessage
        /// PUBREC has come.
        var isReleased = false
    }

    package let passesOn: PassesOn
    /// What it passed on, in order.
    package private(set) var passed: [MQTTMessage] = []
    private var exact: [UInt16: MQTTMessage] = [:]

    private var owed: [UInt16: Owed] = [:]
    private var order: [UInt16] = []
    private var lastID: UInt16 = 0

    package init(_ passesOn: PassesOn) { self.passesOn = passesOn }

    package var isIdle: Bool { exact.isEmpty && owed.isEmpty }
    /// Messages to the client that have no last acknowledgement.
    package var owedCount: Int { owed.count }

    package mutating func receives(_ packet: Packet) -> [Packet] {
        switch packet {
        case .publish(let head, let payload):
            let message = MQTTMessage(head, payload: payload)
            guard let packetID = head.packetID else {
                passed.append(message)
                return []
            }
            guard head.qos == .exactlyOnce else {
                passed.append(message)
                return [.puback(PublishAck(packetID: packetID))]
            }
            if exact[packetID] == nil {
                exact[packetID] = message
                if passesOn == .atPublish { passed.append(message) }
            }
            return [.pubrec(PublishAck(packetID: packetID))]
        case .pubrel(let ack):
            if let message = exact.removeValue(forKey: ack.packetID), passesOn == .atPubrel { passed.append(message) }
            return [.pubcomp(PublishAck(packetID: ack.packetID))]
        case .puback(let ack), .pubcomp(let ack):
            owed[ack.packetID] = nil
            order.removeAll { $0 == ack.packetID }
            return []
        case .pubrec(let ack):
            owed[ack.packetID]?.isReleased = true
            return [.pubrel(PublishAck(packetID: ack.packetID))]
        default: return []
        }
    }

    package mutating func sends(_ message: MQTTMessage) -> Packet {
        repeat { lastID = lastID == 40 ? 1 : lastID + 1 } while owed[lastID] != nil
        owed[lastID] = Owed(message: message)
        order.append(lastID)
        return .publish(message.head(packetID: lastID, isDuplicate: false), payload: message.payload)
    }

    /// Its client is back. Messages that have expired are forgotten, and their packet identifiers are free.
    /// - Returns: The messages that it has forgotten, and what it sends again of the others.
    package mutating func resumes(isExpired: () -> Bool) -> (forgotten: [MQTTMessage], packets: [Packet]) {
        let expired = order.filter { _ in isExpired() }
        let forgotten = expired.compactMap { owed.removeValue(forKey: $0)?.message }
        order.removeAll { expired.contains($0) }
        let packets: [Packet] = order.compactMap { packetID in
            guard let owed = owed[packetID] else { return nil }
            if owed.isReleased { return .pubrel(PublishAck(packetID: packetID)) }
            return .publish(owed.message.head(packetID: packetID, isDuplicate: true), payload: owed.message.payload)
        }
        return (forgotten, packets)
    }
}
