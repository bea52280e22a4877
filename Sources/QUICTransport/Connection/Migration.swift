import CNGTCP2
import NIOCore

/// Whether a client may move to another local address now.
struct Migration {
    fileprivate var isUnderWay = false
    fileprivate var lastStart: NIODeadline?

    /// The new path was found to work, or not to.
    mutating func ended() {
        isUnderWay = false
    }
}

extension QUICConnection {
    /// Whether a new path is being validated that this client has chosen.
    var isMigrating: Bool { migration.isUnderWay }

    /// Moves a client to another local address as soon as that path has been validated. The outcome is told by
    /// `pathChanged` or `pathFailed`.
    ///
    /// Throws `notPossibleNow` before the handshake is confirmed, while another migration is under way, and within
    /// three probe timeouts of the last one, since ngtcp2 before 1.4.0 does not survive migrations in quick succession.
    package func migrate(to local: SocketAddress, at now: NIODeadline) throws(QUICError) {
        let operation = "migration"
        guard isOpen else { throw .notPossibleNow(operation: operation, why: "the connection is closed") }
        guard !isServer, local.isIP else { throw .notPossibleNow(operation: operation, why: "only a client migrates") }
        guard isHandshakeConfirmed else {
            throw .notPossibleNow(operation: operation, why: "the handshake is not confirmed")
        }
        guard !migration.isUnderWay, migration.lastStart.map({ now >= $0 + threeProbeTimeouts }) ?? true else {
            throw .notPossibleNow(operation: operation, why: "the last one is too recent")
        }
        let status = withPath(local: local, remote: remoteAddress) { bridge_quic_migrate(handle, $0, now.nanoseconds) }
        switch status {
        case .ok:
            migration.isUnderWay = true
            migration.lastStart = now
        case .notNow:
            throw .notPossibleNow(operation: operation, why: "the peer has no connection ID left for it, or forbids it")
        default:
            settle(status, operation: operation, at: now)
        }
    }
}
