import MQTTCodec

/// What an operator may want to know about a session, without its secrets. It is put together only when somebody asks.
package struct SessionReport: Sendable, Equatable {
    /// `nil` before CONNECT, after the end, and if CONNECT can't be read here.
    package var facts: Facts?
    /// At most ``maximumSubscriptions`` filters as the device wrote them; `nil` if they are not kept.
    package var subscriptions: [String]?
    /// Messages of the device that the broker has not acknowledged yet; `nil` if that is not known.
    package var inFlightUp: Int?
    /// Messages of the broker that the device has not acknowledged yet; `nil` if that is not known.
    package var inFlightDown: Int?
    /// Bytes that are kept until the broker has them.
    package var bytesHeld = 0
    /// What last went wrong with the uplink; `nil` if nothing has.
    package var problem: String?

    /// What the device asked for in CONNECT.
    package struct Facts: Sendable, Equatable {
        /// `3.1`, `3.1.1` or `5.0`.
        package var version: String
        /// Whether the device asked for Clean Session, or Clean Start in 5.0.
        package var isCleanStart: Bool
        /// The keepalive in seconds; 0: none.
        package var keepAlive: Int
        /// Whether there is a will that may still be published.
        package var hasWill: Bool
    }

    /// How many filters are reported at most, because a device may have any number of them.
    package static let maximumSubscriptions = 100

    package init() {}
}

extension SessionReport {
    init(_ facts: DeviceFacts) {
        self.init()
        self.facts = Facts(
            version: facts.version.number, isCleanStart: facts.isClean, keepAlive: Int(facts.keepAlive),
            hasWill: facts.hasWill)
    }

    init(_ device: ConnectedDevice) {
        self.init(device.facts)
        if device.gateway != nil { facts?.hasWill = device.gateway?.will != nil }
        guard let hold = device.hold else { return }
        let journal = hold.journal
        inFlightUp = journal.ledger?.inFlightUp ?? 0
        inFlightDown = journal.ledger?.down.count ?? 0
        bytesHeld = (journal.ledger?.share.bytes ?? 0) + (journal.births.first?.cost ?? 0)
        subscriptions = (journal.books.first?.names ?? []).prefix(Self.maximumSubscriptions).map {
            device.router.localFilter(of: $0)
        }
        problem = hold.why.isEmpty ? nil : hold.why
    }
}

extension MQTTVersion {
    /// `3.1`, `3.1.1` or `5.0`.
    var number: String {
        switch self {
        case .v3_1: "3.1"
        case .v3_1_1: "3.1.1"
        case .v5_0: "5.0"
        }
    }
}

extension Ledger {
    /// Messages of the device that the broker has not acknowledged, or whose handshake is not over, and those that wait.
    fileprivate var inFlightUp: Int {
        let underWay = up.values.count {
            switch $0.stage {
            case .published, .received, .releasing: true
            case .completed, .waiting, .requested: false
            }
        }
        return underWay + queue.count { $0.kind == .publish }
    }
}

extension PacketRouter {
    /// A filter that the broker has granted, as the device wrote it, if the way back through the routes is known.
    fileprivate func localFilter(of remote: String) -> String {
        routes.localFilter(for: remote) ?? remote
    }
}

extension Session {
    package var report: SessionReport {
        switch state {
        case .connecting(let connecting): SessionReport(connecting.facts)
        case .connected: device.map { SessionReport($0) } ?? SessionReport()
        case .awaitingConnect, .unread, .reclaimingWill, .finishing, .ended: SessionReport()
        }
    }
}

extension DataStreamSession {
    package var report: SessionReport {
        switch state {
        case .authenticating(_, let facts): SessionReport(facts)
        case .connecting(let connecting): SessionReport(connecting.facts)
        case .connected: device.map { SessionReport($0) } ?? SessionReport()
        case .awaitingConnect, .leaving, .reopening, .publishing, .finishing, .ended: SessionReport()
        }
    }
}
