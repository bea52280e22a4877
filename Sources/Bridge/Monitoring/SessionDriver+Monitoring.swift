import BridgeCore
import MQTTCodec
import NIOCore

// What is counted and shown of a session.
extension SessionDriver {
    /// The device does something else from now on.
    func enter(_ state: DeviceState) {
        // An end is final, although the broker may still be asked for something in the device's name.
        guard meter.state != state, meter.state != .ending else { return }
        host.deviceCounts[meter.state] -= 1
        host.deviceCounts[state] += 1
        meter.state = state
    }

    /// The device has been let in.
    func countAccepted() {
        // The bridge lets a device in only once, but a broker may accept a second CONNECT.
        if meter.state == .connecting {
            host.sessions.count(ConnectOutcome.accepted, seconds: meter.connectTook(at: .now()))
            host.connects.count(.accepted, at: .now())
        }
        enter(.live)
    }

    func countEnd(_ why: SessionEnd) {
        switch meter.state {
        case .connecting:
            // Whoever connects and sends no CONNECT, as health checks do, is refused nothing.
            if let seconds = meter.connectTook(at: .now()) {
                let isLate = seconds >= host.configuration.uplink.sessionTimeout.inSeconds
                let outcome = ConnectOutcome(why, isLate: isLate)
                host.sessions.count(outcome)
                host.connects.count(outcome, at: .now())
            }
        case .held:
            host.sessions.count(HoldOutcome(why))
        case .live, .ending:
            break
        }
        enter(.ending)
    }

    func count(_ note: SessionNote) {
        switch note {
        case .held:
            host.sessions.holds += 1
            enter(.held)
        case .resumed(let back):
            host.sessions.count(HoldOutcome(back))
            enter(.live)
        case .sessionNotKept, .willLost, .willRefused, .subscriptionsLost, .messagesExpired, .messagesDisplaced,
            .platform:
            break
        }
    }

    /// A packet of the device, or the beginning of one.
    func countUp(_ element: FrameDecoder.Element) {
        switch element {
        case .packet(let frame):
            host.traffic.count(.up, frame.type, flags: frame.flags, bytes: frame.bytes.readableBytes)
            if frame.type == .publish, frame.flags & 0b110 != 0, let packetID = frame.publishPacketID {
                meter.messageCame(packetID, at: lastDeviceInput)
            } else if frame.type == .connect, !isIdentified {
                meter.connectCame(at: lastDeviceInput)
            }
        case .publishBegin(let begin):
            host.traffic.count(.up, .publish, flags: begin.flags, bytes: begin.packetLength)
            if let packetID = begin.publish.packetID { meter.messageCame(packetID, at: lastDeviceInput) }
        case .unreadBegin(let begin):
            host.traffic.count(.up, .publish, flags: begin.flags, bytes: begin.packetLength)
        case .payload:
            break
        }
    }

    /// A packet of the broker, or the beginning of one.
    func countDown(_ element: FrameDecoder.Element) {
        switch element {
        case .packet(let frame):
            host.traffic.count(.down, frame.type, flags: frame.flags, bytes: frame.bytes.readableBytes)
            if frame.type == .connack { countAnswer(frame) }
            guard frame.type == .puback || frame.type == .pubrec, let packetID = frame.leadingPacketID,
                meter.awaits(packetID)
            else { return }
            host.traffic.acknowledgement.add(seconds: meter.acknowledged(at: .now()))
        case .publishBegin(let begin):
            host.traffic.count(.down, .publish, flags: begin.flags, bytes: begin.packetLength)
        case .unreadBegin(let begin):
            host.traffic.count(.down, .publish, flags: begin.flags, bytes: begin.packetLength)
        case .payload:
            break
        }
    }

    /// What the broker says to the repeated CONNECT of a held device goes for those that come now, too. A first CONNECT
    /// is counted by what becomes of the device.
    private func countAnswer(_ connack: Frame) {
        guard meter.state == .held, let code = connack.body.readableBytesView.dropFirst().first else { return }
        host.connects.count(ConnectOutcome(connackCode: code), at: .now())
    }
}
