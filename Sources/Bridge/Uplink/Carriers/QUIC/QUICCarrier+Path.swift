import BridgeCore
import NIOCore
import QUICTransport

// Whether anything comes back on the connection, and what happens to its legs while nothing does.
extension QUICCarrier {
    /// What ``PathKeeper`` found.
    struct PathLook {
        /// Whether the connection has to be looked at again.
        var isWatched = false
        /// Whether the broker has to be probed.
        var awaitsServer = false
        /// Whether the connection has to be looked at more often, because it sends again and again.
        var isHurried = false
        /// Whether what is unanswered has to be sent again now.
        var isToSendAgain = false
        /// The broker's address; `nil` if the connection is over.
        var remote: SocketAddress?
    }

    /// Whether something that was sent, here or on another connection, went unanswered for a while and nothing has come
    /// since. The broker may have gone without closing the connection. Until that is certain, devices are better off on
    /// another connection.
    var isSilent: Bool {
        guard let doubtedSince, let handle = openHandle else { return false }
        return handle.lastReceived <= doubtedSince
    }

    func doubt(at now: NIODeadline) {
        guard let handle = openHandle, !isSilent else { return }
        doubtedSince = now
        handle.hurry()
        guard !handle.isAwaited else { return }
        handle.isAwaited = true
        paths.watch(self)
    }

    func giveUp() {
        guard path.isSilent, isSilent else { return }
        pathDied("nothing comes back on the connection, and the broker is reached on another way")
    }

    /// Whether it matters here if the broker answers at all.
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
        isToSendAgain = false
        look(handle, at: now)
        // Looking may have ended the connection.
        guard openHandle === handle else { return PathLook() }
        lookAtDoubt(handle)
        let isWatched = path.isSilent || handle.unansweredSince != nil || doubtedSince != nil
        handle.isAwaited = isWatched
        return PathLook(
            isWatched: isWatched, awaitsServer: awaitsServer, isHurried: path.isHurried,
            isToSendAgain: isToSendAgain, remote: handle.remoteAddress)
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
            lastSent: handle.lastSent, probeTimeout: handle.probeTimeout)
        switch path.look(facts, at: now) {
        case .nothing:
            lookAtNewcomers(facts, at: now)
            reportSilence(at: now)
        case .silent:
            handle.isSilent = true
            paths.fellSilent(handle.remoteAddress)
            doubtedSince = now
            observer?.carrierFellSilent(self)
            for leg in legs.values { leg.silent() }
        case .answered(let silence):
            handle.isSilent = false
            for leg in legs.values { leg.answered(after: silence) }
            observer?.carrierHasRoom(self)
            // A leg may have closed the connection because of that. The other connections still have to be told of the
            // answer.
            paths.answered(handle.remoteAddress, at: now)
        case .again:
            // `PathKeeper` sends for all connections, a few at a time.
            isToSendAgain = true
            lookAtNewcomers(facts, at: now)
            reportSilence(at: now)
        case .dead:
            pathDied("the broker answers, but not on this connection")
        }
    }

    private func reportSilence(at now: NIODeadline) {
        guard path.isSilent, let doubtedSince, settings.uplink.hasAlternatives,
            now >= doubtedSince + TimeAmount(settings.uplink.handshakeTimeout)
        else { return }
        observer?.carrierStaysSilent(self, since: doubtedSince, at: now)
    }

    /// Devices that found no room are told when there is some. If nothing is under way, nothing else would tell them.
    private func lookAtDoubt(_ handle: QUICConnectionHandle) {
        guard doubtedSince != nil else { return }
        guard !isSilent else {
            if handle.unansweredSince == nil { handle.hurry() }
            return
        }
        doubtedSince = nil
        observer?.carrierHasRoom(self)
    }

    /// A device cannot wait for its CONNACK for as long as a path may take to come back. Such devices move to another
    /// connection, and no more come to this one until the broker is heard on it again.
    private func lookAtNewcomers(_ facts: PathWatch.Facts, at now: NIODeadline) {
        guard newcomers.isDue(facts, at: now), legs.values.contains(where: \.mayLeave) else { return newcomers.rest() }
        guard newcomers.look(facts, at: now) else { return }
        doubtedSince = now
        observer?.carrierFellSilent(self)
        for leg in legs.values { leg.leaveUnheard() }
    }
}
