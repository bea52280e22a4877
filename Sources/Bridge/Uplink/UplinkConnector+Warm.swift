import BridgeCore
import Logging

// Connections made ahead of time.
extension UplinkConnector: WarmConnectionsOwner {
    var warmEndpoint: UplinkEndpoint? {
        if case .quic(let index) = upstream.chosen { configuration.endpoints[index] } else { nil }
    }

    var isWarmShared: Bool { sharing == .offered }

    func warmTarget(share: Int) -> Int {
        switch sharing {
        // One finds out.
        case .unknown: 1
        // A device that is on its way sees to it itself.
        case .offered: shared.isEmpty && dials.isEmpty && waiters.isEmpty ? 1 : 0
        case .refused: share
        }
    }

    func mayWarm(_ endpoint: UplinkEndpoint) -> Upstream.Decision {
        upstream.mayDialAhead(to: endpoint, line, for: waker, at: .now())
    }

    func warmingAbandoned(_ attempt: Upstream.Attempt) {
        upstream.abandoned(attempt)
    }

    func keepsWarm(_ connection: UplinkConnection, _ attempt: Upstream.Attempt) -> Bool {
        reached(attempt)
        joined(connection)
        if warmShares.isFirst() { logger.info("the broker can be reached", metadata: ["leg": "uplink"]) }
        guard connection.isShared else { return true }
        connection.owner = self
        closeLater(connection)
        advance()
        return false
    }

    func warmChanged() {
        advance()
    }

    /// Devices try all the same, and wait no longer for it.
    func warmingFailed(_ attempt: Upstream.Attempt, _ end: UplinkConnectionEnd) {
        _ = upstream.failed(attempt, end, hasOthers: !shared.isEmpty)
        advance()
    }
}
