import Logging
import NIOCore

// How a client follows a change of the network: a second socket, to which its connections move.
extension QUICEndpoint {
    /// Connections that are moved or woken in one go: each sends a datagram or two at once.
    private static let movedAtOnce = 128
    private static let movePause = TimeAmount.milliseconds(5)
    /// Between looks at what still uses an old socket, and attempts to move it.
    private static let lookInterval = TimeAmount.seconds(2)
    /// How long an old socket is kept for those that do not move.
    private static let oldSocketTime = TimeAmount.seconds(30)

    /// Addresses, routes or interfaces of this machine are others than before.
    ///
    /// Where peers are reached from another address now, the connections migrate to a new socket, with connection IDs
    /// that no server runs out of (RFC 9000 9.5); the future tells how many. All, whether they can migrate or not, send
    /// something now, so that the server learns where they are and an idle one is not forgotten.
    package func networkChanged() -> EventLoopFuture<Int> {
        guard server == nil, !connections.isEmpty else { return eventLoop.makeSucceededFuture(0) }
        socket.openNow()
        let remotes = Set(connections.handles.map(\.connection.remoteAddress))
        let changes = sockets.updateSources(to: remotes)
        guard !changes.isEmpty else {
            // Without a route a datagram would only cost the socket.
            let reachable = remotes.filter { ClientSockets.source(to: $0) != nil }
            hurry(connections.handles.filter { reachable.contains($0.connection.remoteAddress) }[...])
            return eventLoop.makeSucceededFuture(0)
        }
        for change in changes {
            logger.debug(
                "the broker is reached from another address",
                metadata: [
                    "from": "\(change.from?.ipAddress ?? "none")", "to": "\(change.to.ipAddress ?? "")",
                    "leg": "uplink",
                ])
        }
        return moveAll()
    }

    /// Has a new socket opened and all connections moved to it.
    func moveAll() -> EventLoopFuture<Int> {
        let promise = eventLoop.makePromise(of: Int.self)
        sockets.move = ClientSockets.Move(moved: nil, promises: (sockets.move?.promises ?? []) + [promise])
        openNextSocket()
        return promise.futureResult
    }

    private func openNextSocket() {
        guard let wildcard = try? family.wildcard else { return }
        sockets.retire(socket)
        if let surplus = sockets.surplus(besides: labelsInUse) { forget(surplus) }
        socket = EndpointSocket(
            eventLoop: eventLoop, address: wildcard, label: sockets.nextLabel(wildcard), listening: nil, logger: logger)
        socket.endpoint = self
        socket.open()
        lookAfterOldSockets()
    }

    /// The present socket is open.
    func moveIfWanted() {
        guard let move = sockets.move, move.moved == nil else { return }
        sockets.move?.moved = 0
        moveOn(Array(connections.handles)[...])
    }

    private func moveOn(_ rest: ArraySlice<QUICConnectionHandle>) {
        for handle in rest.prefix(Self.movedAtOnce) {
            if migrate(handle) { sockets.move?.moved? += 1 }
            handle.hurry()
        }
        let rest = rest.dropFirst(Self.movedAtOnce)
        guard rest.isEmpty else {
            return later { $0.moveOn(rest) }
        }
        let moved = sockets.move?.moved ?? 0
        for promise in sockets.move?.promises ?? [] { promise.succeed(moved) }
        sockets.move?.promises = []
    }

    /// False where it stays with the path it has: that goes on, as a NAT rebinding.
    private func migrate(_ handle: QUICConnectionHandle) -> Bool {
        guard connections.contains(handle), handle.connection.isHandshakeConfirmed,
            handle.connection.localAddress != socket.label
        else { return false }
        do {
            try handle.connection.migrate(to: socket.label, at: .now())
        } catch {
            return false
        }
        handle.target = socket.label
        needsFlush(handle)
        return true
    }

    private func hurry(_ rest: ArraySlice<QUICConnectionHandle>) {
        for handle in rest.prefix(Self.movedAtOnce) where connections.contains(handle) { handle.hurry() }
        let rest = rest.dropFirst(Self.movedAtOnce)
        if !rest.isEmpty { later { $0.hurry(rest) } }
    }

    private func later(_ act: @escaping (QUICEndpoint) -> Void) {
        Timer.once(in: Self.movePause, on: eventLoop) { [weak self] in
            if let self { act(self) }
        }
    }
}

// MARK: - Several sockets

extension QUICEndpoint {
    /// The one that datagrams with this local address leave by.
    func socket(for local: SocketAddress) -> EndpointSocket {
        guard sockets.areSeveral, local != socket.label else { return socket }
        return sockets.old.first { $0.label == local } ?? socket
    }

    func flushSockets() {
        socket.channel?.flush()
        for old in sockets.old { old.channel?.flush() }
    }

    func closeOldSockets() {
        for old in sockets.old { old.close() }
        for promise in sockets.move?.promises ?? [] { promise.succeed(0) }
        sockets.move = nil
    }

    /// What still goes by an old socket goes by the present one from now on.
    func forget(_ old: EndpointSocket) {
        old.close()
        sockets.remove(old, isInUse: labelsInUse.contains(old.label))
    }

    private func lookAfterOldSockets() {
        guard !sockets.isLookScheduled else { return }
        sockets.isLookScheduled = true
        Timer.once(in: Self.lookInterval, on: eventLoop) { [weak self] in
            guard let self else { return }
            sockets.isLookScheduled = false
            retryMove()
            forgetUnusedSockets()
            if sockets.areSeveral { lookAfterOldSockets() }
        }
    }

    /// By which connections go, or are about to.
    private var labelsInUse: Set<SocketAddress> {
        var labels: Set<SocketAddress> = []
        for handle in connections.handles {
            labels.insert(handle.connection.localAddress)
            if let target = handle.target { labels.insert(target) }
        }
        return labels
    }

    func forgetUnusedSockets() {
        let used = Set(connections.handles.map(\.connection.localAddress))
        sockets.keepRetired(labelsInUse)
        let oldest = NIODeadline.now() - Self.oldSocketTime
        for old in sockets.old {
            let isOld = old.replacedAt.map { $0 <= oldest } ?? true
            if isOld || !used.contains(old.label) { forget(old) }
        }
    }

    /// Those that had no connection ID to spare, or had moved just before.
    private func retryMove() {
        guard let move = sockets.move, move.moved != nil, move.retriesLeft > 0, socket.channel != nil else { return }
        sockets.move?.retriesLeft -= 1
        moveOn(
            connections.handles.filter { $0.connection.localAddress != socket.label && $0.target != socket.label }[...])
    }
}
