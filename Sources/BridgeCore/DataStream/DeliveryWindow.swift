import MQTTCodec

/// The QoS 1 and 2 deliveries that a device may have in flight: its Receive Maximum (MQTT 5 3.1.2.11.3). The broker
/// does not know that limit, because it sees only the gateway's.
///
/// A PUBLISH beyond the limit waits in the stream, and so does everything behind it, even the PUBREL that a QoS 2
/// delivery in flight needs to finish. So the bridge plays the second half of QoS 2 itself: it sends the device PUBREL
/// as soon as the device's PUBREC has come, and the broker PUBCOMP once the broker and the device have both done their
/// part.
///
/// Holds at most the Receive Maximum, plus the deliveries whose PUBREL is still in the stream.
struct DeliveryWindow: Sendable {
    private enum Phase: Sendable {
        case published
        /// The device has been sent PUBREL.
        case released
        /// The broker has sent PUBREL, and waits for the device's PUBCOMP.
        case awaited
        /// The device's PUBCOMP has come, so the delivery takes no place any more.
        case completed
    }

    /// What the bridge does with an acknowledgement.
    enum Passage: Equatable {
        case pass
        case swallow
        /// The acknowledgement is passed on, and its sender is answered PUBREL.
        case passAndRelease
        /// The acknowledgement goes no further, and its sender is answered PUBCOMP.
        case answer
    }

    let limit: UInt16
    private var phases = PacketTable<Phase>()
    private var occupied = 0

    init(limit: UInt16) {
        self.limit = limit
    }

    var isFull: Bool { occupied >= Int(limit) }

    mutating func delivered(_ packetID: UInt16) {
        // The same packet identifier again is a DUP.
        guard phases[packetID] == nil else { return }
        phases[packetID] = .published
        occupied += 1
    }

    /// PUBACK, or PUBREC with an error, which end the delivery.
    mutating func deviceFinished(_ packetID: UInt16) {
        guard phases[packetID] == .published else { return }
        phases[packetID] = nil
        occupied -= 1
    }

    mutating func deviceReceived(_ packetID: UInt16) -> Passage {
        switch phases[packetID] {
        case .published:
            phases[packetID] = .released
            return .passAndRelease
        case .released, .awaited, .completed: return .swallow
        case nil: return .pass
        }
    }

    mutating func deviceCompleted(_ packetID: UInt16) -> Passage {
        switch phases[packetID] {
        case .released:
            phases[packetID] = .completed
            occupied -= 1
            return .swallow
        case .awaited:
            phases[packetID] = nil
            occupied -= 1
            return .pass
        case .completed: return .swallow
        case .published, nil: return .pass
        }
    }

    mutating func brokerReleased(_ packetID: UInt16) -> Passage {
        switch phases[packetID] {
        case .released:
            phases[packetID] = .awaited
            return .swallow
        case .completed:
            phases[packetID] = nil
            return .answer
        case .awaited: return .swallow
        case .published, nil: return .pass
        }
    }
}
