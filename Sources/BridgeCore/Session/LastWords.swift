import NIOCore

/// What is left of a device that has said its last: it has disconnected, shut its sending side down or broken the
/// protocol, and what it sent before that is with the broker. The answers still go to it, as they would from the broker
/// itself, until the broker has ended its side, or for ``patience``; then the device's connection is closed.
struct LastWords<Connected: Sendable>: Sendable {
    /// A broker that is there answers within a round trip.
    static var patience: Duration { .seconds(5) }

    var connected: Connected
    /// For the device, behind the last answer.
    var farewell: ByteBuffer?

    /// The device's end. Inside a packet nothing can be put.
    func hangUp(isInsidePacket: Bool) -> [SessionAction] {
        let farewell = isInsidePacket ? nil : farewell
        return [.stop(.lastWords)] + (farewell.map { [.sendToDevice($0)] } ?? []) + [.closeDevice]
    }
}

extension SessionEnd {
    /// It is the device's own doing, and the broker may have answers for what came before.
    var leavesAnswers: Bool {
        switch self {
        case .deviceDisconnected, .deviceVanished, .deviceViolation, .notAllowed: true
        case .keepAliveExpired, .noConnectPacket, .notMQTT, .badCredentials, .takenOver, .overLimit, .refusedByBroker,
            .brokerDisconnected, .brokerClosed, .brokerViolation, .uplinkUnreachable, .uplinkLost, .holdExpired,
            .shutdown:
            false
        }
    }

    /// Nothing came of what the device asked for before it shut its sending side.
    static let unansweredAtTheEnd = SessionEnd.uplinkUnreachable(
        "no answer came within 5 s after the device had shut its sending side down")
}

extension SessionAction {
    var isForDevice: Bool {
        if case .sendToDevice = self { true } else { false }
    }

    var isEnd: Bool {
        if case .ended = self { true } else { false }
    }
}
