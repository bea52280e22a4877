import BridgeCore
import NIOCore
import QUICTransport

// What is counted and shown of a client's session.
extension RelayDriver: MonitoredDevice {
    /// The session does something else from now on.
    func enter(_ state: DeviceState) {
        guard meter.state != state, meter.state != .ending else { return }
        host.deviceCounts[meter.state] -= 1
        host.deviceCounts[state] += 1
        meter.state = state
    }

    var shownClientID: String { DeviceSummary.shown(clientID ?? "") }
    var shownAddress: String { peer }

    func summary(_ clock: WallClock) -> DeviceSummary {
        DeviceSummary(
            id: meter.id, state: meter.state, clientID: shownClientID, address: peer, listener: listener,
            connectedAt: clock.seconds(at: startedAt), bytesUp: meter.bytesUp, bytesDown: meter.bytesDown)
    }

    private var listener: String { handle.listener.hostAndPort }

    /// The packets pass unread, so nothing is known about what is in them.
    func detail(_ clock: WallClock) -> DeviceDetail {
        var detail = DeviceDetail(summary: summary(clock))
        if let address = leg?.remoteAddress {
            detail.uplink = DeviceDetail.Leg(transport: "tcp", remoteAddress: address.hostAndPort)
        }
        detail.bytesHeld = relay.waitingBytes
        detail.lastFromDevice = clock.secondsIfAny(at: handle.lastReceived)
        return detail
    }

    func removeByOperator() {
        perform(relay.removedByOperator())
    }
}

extension ServeHost: MonitoredHost {
    var sockets: [QUICEndpoint] { endpoints }

    var isOccupied: Bool { !connections.isEmpty }
}
