import MQTTCodec
import NIOCore

/// A device that sends no more, because it has disconnected, shut its sending side down or broken the protocol. What it
/// sent before that is with the broker, whose answers still go to the device, as they would from the broker itself,
/// until the broker has ended its side, or for ``patience``; then the device's connection is closed.
struct LastWords: Sendable {
    /// A broker that is reachable answers within a round trip.
    static let patience = Duration.seconds(5)

    // An array of one element works as a box: a session needs no room for last words before they come.
    private var devices: [ConnectedDevice]
    /// A packet for the device, behind the last answer.
    var farewell: ByteBuffer?

    init(_ device: ConnectedDevice, farewell: ByteBuffer?) {
        devices = [device]
        self.farewell = farewell
        // From here on only the broker's end counts, and the device gets no other leg.
        self.device.ending = nil
        self.device.hold?.journal.forfeit()
        self.device.hold?.journal.dropReceipts()
    }

    var device: ConnectedDevice {
        get { devices[0] }
        _modify { yield &devices[0] }
    }

    /// The answers to the device that a packet of the broker brings.
    mutating func uplinkSent(_ element: FrameDecoder.Element) -> [SessionAction] {
        // No acknowledgement of the device makes room for a delivery any more.
        guard !element.beginsDelivery || device.gateway?.window?.isFull != true else {
            if case .publishBegin = element { device.down.begin(isForwarded: false, deferred: []) }
            return []
        }
        // Only answers to the device count: the broker has got our FIN.
        return device.uplinkSent(element).filter(\.isForDevice)
    }

    /// Ends the device's connection, with the farewell unless that would land inside another packet.
    func hangUp() -> [SessionAction] {
        let farewell = device.down.isInsidePacket ? nil : farewell
        return [.stop(.lastWords)] + (farewell.map { [.sendToDevice($0)] } ?? []) + [.closeDevice]
    }
}

extension SessionEnd {
    /// The device shut its sending side down, and no answer came to what it had asked for before that.
    static let unansweredAtTheEnd = SessionEnd.uplinkUnreachable(
        "no answer came within 5 s after the device had shut its sending side down")
}

extension SessionAction {
    fileprivate var isForDevice: Bool {
        if case .sendToDevice = self { true } else { false }
    }
}

extension FrameDecoder.Element {
    fileprivate var beginsDelivery: Bool {
        switch self {
        case .packet(let frame): frame.type == .publish
        case .publishBegin, .unreadBegin: true
        case .payload: false
        }
    }
}
