import Logging
import NIOCore

// How a client follows a change of the network: it opens another socket, and its connections move to that.
extension QUICEndpoint {
    /// How many connections are moved or woken at once, because each of them sends a datagram or two immediately.
    private static let movedAtOnce = 128
    private static let movePause = TimeAmount.milliseconds(5)
    /// How often to check which connections still use an old socket, and to try to move them.
    private static let checkInterval = TimeAmount.seconds(2)
    /// How long an old socket is kept for connections that do not move.
    private static let oldSocketTime = TimeAmount.seconds(30)

    /// Must be called when addresses, routes or interfaces of this machine have changed.
    ///
    /// If a peer is now reached from another address, the connections migrate to a new socket with new connection IDs
    /// (RFC 9000 9.5). The future's value is their number. All connections, whether they can migrate or not, send
    /// something now, so that the server learns the new address and an idle connection does not break.
    package func networkChanged() -> EventLoopFuture<Int> {
        guard server == nil, !connections.isEmpty else {
            // The next connections may leave from another address.
            _ = sockets.updateSources(to: [])
            return eventLoop.makeSucceededFuture(0)
        }
        socket.openNow()
        let remotes = Set(connections.handles.map(\.connection.remoteAddress))
        let changes = sockets.updateSources(to: remotes)
        guard !changes.isEmpty else {
            // Without a route, the system would take no datagram.
            let reachable = remotes.filter { ClientSockets.source(to: $0) != nil }
            hurry(connections.handles.filter { reachable.contains($0.connection.remoteAddress) }[...])
            return eventLoop.makeSucceededFuture(0)
        }
        for change in changes {
            logger.debug(
                "the broker is reached from another local address; connections move to it",
                metadata: [
                    "from": "\(change.from?.ipAddress ?? "none")", "to": "\(change.to.ipAddress ?? "")",
                    "leg": "uplink",
                ])
        }
        return moveAll()
    }

    /// Opens a new socket and moves all connections to it. The future's value is the number of connections that move.
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
        scheduleCheck()
    }

    /// Continues from another port of this machine and tells nobody, as a NAT does that has forgotten its mapping: the
    /// peers see datagrams of their connections come from another address (RFC 9000 9.3). What is on its way to the
    /// previous port is lost. Only a client can do this.
    package func rebind() {
        guard server == nil, sockets.move == nil, let wildcard = try? family.wildcard else { return }
        let previous = socket
        // With the same label, the connections do not know.
        socket = EndpointSocket(
            eventLoop: eventLoop, address: wildcard, label: previous.label, listening: nil, logger: logger)
        socket.endpoint = self
        socket.open()
        previous.close()
    }

    /// The UDP port that a client sends from now; `nil` while the socket is not open.
    package var localPort: Int? { socket.channel?.localAddress?.port }

    /// The current socket is open now.
    func moveIfWanted() {
        guard let move = sockets.move, move.moved == nil else { return }
        sockets.move?.moved = 0
        scheduleCheck()
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
        // The list is emptied first, because a callback may begin another move.
        let promises = sockets.move?.promises ?? []
        sockets.move?.promises = []
        for promise in promises { promise.succeed(moved) }
    }

    /// - Returns: False if the connection keeps its path, which continues to work like after a NAT rebinding.
    private func migrate(_ handle: QUICConnectionHandle) -> Bool {
        guard handle.isKnown, handle.connection.isHandshakeConfirmed,
            handle.connection.localAddressInUse != socket.label
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
        for handle in rest.prefix(Self.movedAtOnce) where handle.isKnown { handle.hurry() }
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
    /// The socket that sends the connection's datagrams.
    func socket(of connection: QUICConnection) -> EndpointSocket {
        guard sockets.areSeveral, connection.localAddress != socket.label else { return socket }
        return sockets.old.first { $0.label == connection.localAddress } ?? socket
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

    /// Closes an old socket. Connections that still use it use the current one from now on.
    func forget(_ old: EndpointSocket) {
        old.close()
        sockets.remove(old)
    }

    private func scheduleCheck() {
        guard !sockets.isCheckScheduled else { return }
        sockets.isCheckScheduled = true
        Timer.once(in: Self.checkInterval, on: eventLoop) { [weak self] in
            guard let self else { return }
            sockets.isCheckScheduled = false
            retryMove()
            forgetUnusedSockets()
            if sockets.needCheck, !connections.isEmpty { scheduleCheck() }
        }
    }

    /// The labels that connections have, or are about to have.
    private var labelsInUse: Set<SocketAddress> {
        var labels: Set<SocketAddress> = []
        for handle in connections.handles {
            labels.insert(handle.connection.localAddressInUse)
            if handle.connection.isMigrating, let target = handle.target { labels.insert(target) }
        }
        return labels
    }

    func forgetUnusedSockets() {
        let used = labelsInUse
        let oldest = NIODeadline.now() - Self.oldSocketTime
        for old in sockets.old {
            let isOld = old.replacedAt.map { $0 <= oldest } ?? true
            if isOld || !used.contains(old.label) { forget(old) }
        }
    }

    /// Tries again to move connections that had no connection ID to spare, or had moved just before.
    private func retryMove() {
        guard let move = sockets.move, move.moved != nil, move.retriesLeft > 0, socket.channel != nil else { return }
        sockets.move?.retriesLeft -= 1
        moveOn(
            connections.handles.filter {
                $0.connection.localAddressInUse != socket.label && $0.target != socket.label
            }[...])
    }
}
