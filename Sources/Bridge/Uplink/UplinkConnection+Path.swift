import BridgeCore
import NIOCore
import QUICTransport

// Whether anything comes back on the connection, and what becomes of its legs while nothing does.
extension UplinkConnection {
    /// What ``PathKeeper`` found.
    struct PathLook {
        /// It has to be looked at again.
        var isWatched = false
        var isSilent = false
        /// Nil where the connection is over.
        var remote: SocketAddress?
        var lastReceived = NIODeadline.distantPast
    }

    var isPathSilent: Bool { path.isSilent }
    var remoteAddress: SocketAddress? { openHandle?.remoteAddress }

    func connectionAwaitsAnswer(_ handle: QUICConnectionHandle) -> Bool {
        // A handshake has a time limit of its own.
        guard handle === openHandle else { return false }
        paths.watch(self)
        return true
    }

    func connectionReceived(_ handle: QUICConnectionHandle) {
        guard handle === openHandle else { return }
        look(handle, at: .now())
    }

    func lookAtPath(at now: NIODeadline) -> PathLook {
        guard let handle = openHandle else { return PathLook() }
        look(handle, at: now)
        // It may have died of it.
        guard openHandle === handle else { return PathLook() }
        let isWatched = path.isSilent || handle.unansweredSince != nil
        handle.isAwaited = isWatched
        return PathLook(
            isWatched: isWatched, isSilent: path.isSilent, remote: handle.remoteAddress,
            lastReceived: handle.lastReceived)
    }

    /// The broker is there, though nothing has come on this connection.
    func serverAnswered(at now: NIODeadline) {
        guard let handle = openHandle else { return }
        if path.serverAnswered(at: now) { handle.hurry() }
    }

    private func look(_ handle: QUICConnectionHandle, at now: NIODeadline) {
        let facts = PathWatch.Facts(
            unansweredSince: handle.unansweredSince, lastReceived: handle.lastReceived,
            probeTimeout: handle.probeTimeout)
        switch path.look(facts, at: now) {
        case .nothing:
            break
        case .silent:
            handle.isSilent = true
            paths.fellSilent(handle.remoteAddress)
            fellSilent()
        case .answered(let silence):
            handle.isSilent = false
            answered(after: silence)
            // Its device may have given it up for the length of the silence: the others are to hear of it all the same.
            paths.answered(handle.remoteAddress, at: now)
        case .dead:
            pathDied("the broker answers, but not on this connection")
        }
    }
}
