import BridgeCore
import NIOCore
import QUICTransport

// Whether anything comes back on the connection, and what becomes of its legs while nothing does.
extension UplinkConnection {
    /// What ``PathKeeper`` found.
    struct PathLook {
        /// It has to be looked at again.
        var isWatched = false
        /// The broker is to be asked whether it is there.
        var awaitsServer = false
        /// Nil where the connection is over.
        var remote: SocketAddress?
        var lastReceived = NIODeadline.distantPast
    }

    /// What was sent was not answered for a while, here or on a connection beside it, and nothing has come since. The
    /// broker may be gone without a word, which only time tells for sure: until then devices should rather have another
    /// connection.
    var isSilent: Bool {
        guard let doubtedSince, let handle = openHandle else { return false }
        return handle.lastReceived <= doubtedSince
    }

    /// There is reason to believe that the broker has forgotten its connections: this one is given nobody until it is
    /// heard again, and has something sent that the broker has to answer.
    func doubt(at now: NIODeadline) {
        guard let handle = openHandle, !isSilent else { return }
        doubtedSince = now
        handle.hurry()
        guard !handle.isAwaited else { return }
        handle.isAwaited = true
        paths.watch(self)
    }

    var isPathSilent: Bool { path.isSilent }
    /// It is of use to know whether the broker answers anybody.
    var awaitsServer: Bool { path.isSilent || newcomers.awaitsServer }
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
        lookAtDoubt(handle)
        let isWatched = path.isSilent || handle.unansweredSince != nil || doubtedSince != nil
        handle.isAwaited = isWatched
        return PathLook(
            isWatched: isWatched, awaitsServer: awaitsServer, remote: handle.remoteAddress,
            lastReceived: handle.lastReceived)
    }

    /// The broker is there, though nothing has come on this connection.
    func serverAnswered(at now: NIODeadline) {
        guard let handle = openHandle else { return }
        let isOfUse = newcomers.serverAnswered(at: now)
        if path.serverAnswered(at: now) || isOfUse { handle.hurry() }
    }

    private func look(_ handle: QUICConnectionHandle, at now: NIODeadline) {
        let facts = PathWatch.Facts(
            unansweredSince: handle.unansweredSince, lastReceived: handle.lastReceived,
            probeTimeout: handle.probeTimeout)
        switch path.look(facts, at: now) {
        case .nothing:
            lookAfterNewcomers(facts, at: now)
        case .silent:
            handle.isSilent = true
            paths.fellSilent(handle.remoteAddress)
            fellSilent(at: now)
        case .answered(let silence):
            handle.isSilent = false
            answered(after: silence)
            // Its device may have given it up for the length of the silence: the others are to hear of it all the same.
            paths.answered(handle.remoteAddress, at: now)
        case .dead:
            pathDied("the broker answers, but not on this connection")
        }
    }

    /// Who was told that there is no room hears of it when there is; where nothing is under way, nothing would tell.
    private func lookAtDoubt(_ handle: QUICConnectionHandle) {
        guard doubtedSince != nil else { return }
        guard !isSilent else {
            if handle.unansweredSince == nil { handle.hurry() }
            return
        }
        doubtedSince = nil
        owner?.connectionHasRoom(self)
    }

    /// A device that waits for its CONNACK has less patience than the path, which may be given a long time to come back.
    private func lookAfterNewcomers(_ facts: PathWatch.Facts, at now: NIODeadline) {
        guard newcomers.isDue(facts, at: now), hasNewcomers else { return newcomers.rest() }
        if newcomers.look(facts, at: now) { dismissNewcomers(at: now) }
    }
}
