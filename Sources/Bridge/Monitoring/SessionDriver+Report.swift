import BridgeCore
import NIOCore
import QUICTransport

// What is shown of a device.
extension SessionDriver: MonitoredDevice {
    var shownClientID: String { DeviceSummary.shown(identity?.ownClientID ?? "") }
    var shownAddress: String { peerAndPort }

    func summary(_ clock: WallClock) -> DeviceSummary {
        DeviceSummary(
            id: meter.id, state: meter.state, clientID: shownClientID, address: peerAndPort, listener: listener,
            connectedAt: clock.seconds(at: startedAt), bytesUp: meter.bytesUp, bytesDown: meter.bytesDown)
    }

    func detail(_ clock: WallClock) -> DeviceDetail {
        let report = session.report
        var detail = DeviceDetail(summary: summary(clock))
        detail.session = report.facts.map { facts in
            DeviceDetail.Session(
                version: facts.version, username: identity?.username.map { DeviceSummary.shown($0) },
                brokerClientID: identity.flatMap {
                    $0.clientID == $0.ownClientID ? nil : DeviceSummary.shown($0.clientID)
                },
                isCleanStart: facts.isCleanStart, keepAlive: facts.keepAlive, hasWill: facts.hasWill)
        }
        detail.uplink = uplink?.carrier?.report.map { DeviceDetail.Leg($0) }
        detail.subscriptions = report.subscriptions?.map { DeviceSummary.shown($0) }
        detail.inFlightUp = report.inFlightUp
        detail.inFlightDown = report.inFlightDown
        detail.bytesHeld = report.bytesHeld
        detail.lastFromDevice = isIdentified ? clock.seconds(at: lastDeviceInput) : nil
        detail.lastFromBroker = clock.secondsIfAny(at: meter.heardBroker)
        detail.lastProblem = uplink?.whyNotYet ?? report.problem
        return detail
    }

    func removeByOperator() {
        handle(session.removedByOperator())
        device?.flush()
    }
}

extension SessionHost: MonitoredHost {
    var sockets: [QUICEndpoint] { dialer.sockets }

    /// A device that has left counts until the broker has been told, or until its will is published.
    var isOccupied: Bool { !devices.isEmpty }
}

extension DeviceDetail.Leg {
    init(_ report: UplinkCarrierReport) {
        self.init(
            transport: report.transport, mapping: report.mapping, remoteAddress: report.remote?.hostAndPort,
            localAddress: report.local?.hostAndPort, pathChanges: report.pathChanges, isSilent: report.isSilent)
        guard let statistics = report.statistics else { return }
        roundTrip = statistics.smoothedRTT.inSeconds * 1_000
        packetsLost = statistics.packetsLost
        datagramSize = statistics.datagramSize
        congestionWindow = statistics.congestionWindow
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
