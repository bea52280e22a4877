import NIOCore

extension QUICEndpoint {
    /// A burst from more connections is rare, and its room is not kept.
    private static let largestBurst = 256

    /// - Parameter arrival: Where it came to, if the socket has several addresses.
    func received(
        _ datagram: ByteBuffer, from remote: SocketAddress, at arrival: NIOPacketInfo? = nil,
        on receiver: EndpointSocket
    ) {
        pending.isFlushComing = true
        traffic.datagramsReceived &+= 1
        // Nobody can be answered there (RFC 768: such a sender wants no answer).
        guard remote.port != 0 else { return }
        sendFailures.received(from: remote)
        receiver.received()
        let id = QUICPacketHeader.destinationConnectionID(of: datagram, localLength: connectionIDLength)
        let known = id.flatMap { connections[$0] }
        guard let server else {
            let handle = known ?? connections.connectionReset(by: datagram, from: remote, at: .now())
            let local = sockets.local(of: handle, receivedOn: receiver, current: socket) ?? localAddress
            return received(datagram, from: remote, to: local, for: handle)
        }
        guard let local = receiver.local(of: arrival) else { return }
        if known == nil, let id, server.forward(datagram, under: id, from: remote, to: local) { return }
        let handle = known ?? connections.connectionReset(by: datagram, from: remote, at: .now())
        received(datagram, from: remote, to: local, for: handle)
    }

    /// Another loop's endpoint received a datagram for this one.
    func receivedForwarded(
        _ datagram: ByteBuffer, under id: QUICConnectionID, from remote: SocketAddress, to local: SocketAddress
    ) {
        pending.isFlushComing = true
        let handle = connections[id] ?? connections.connectionReset(by: datagram, from: remote, at: .now())
        received(datagram, from: remote, to: local, for: handle)
    }

    private func received(
        _ datagram: ByteBuffer, from remote: SocketAddress, to local: SocketAddress, for handle: QUICConnectionHandle?
    ) {
        // A client drops late packets of connections that are long gone, and noise (RFC 9000 5.2).
        guard let handle else { return receivedStray(datagram, from: remote, to: local) }
        handle.connection.receive(datagram, from: remote, to: local, at: .now())
        // Told before the events: an observer that waits for the path to return can use it for what came.
        if handle.isSilent { handle.observer?.connectionReceived(handle) }
        guard !handle.isHeard else { return }
        handle.isHeard = true
        hearing.append(handle)
    }

    private func receivedStray(_ datagram: ByteBuffer, from remote: SocketAddress, to local: SocketAddress) {
        if let server { return server.receivedStray(datagram, from: remote, to: local, at: self) }
        if probes.take(datagram, from: remote) { probeObserver?.endpoint(self, hasAnswerFrom: remote) }
    }

    /// All datagrams of a burst have been read. What they brought on one stream is one event, which reaches a device or a
    /// broker by one write.
    func readBurstEnded() {
        // One call takes a whole burst; see ``DatagramSocket``.
        traffic.receiveCalls &+= 1
        deliverHeard()
        pending.isFlushComing = false
        flush()
    }

    func deliverHeard() {
        guard !hearing.isEmpty else { return }
        let heard = hearing
        hearing.removeAll(keepingCapacity: heard.count <= Self.largestBurst)
        for handle in heard {
            handle.isHeard = false
            handle.isBeingRead = true
            deliverEvents(of: handle)
            handle.isBeingRead = false
            sendOrSettle(handle)
        }
    }

    func deliverEvents(of handle: QUICConnectionHandle) {
        while let event = handle.connection.nextEvent() {
            switch event {
            case .connectionIDIssued(let id): connections.register(id, for: handle)
            case .connectionIDRetired(let id): connections.unregister(id, of: handle)
            case .closed(let error): handle.observer?.connection(handle, happened: .closed(explained(error)))
            case .pathChanged:
                traffic.pathChanges += 1
                handle.observer?.connection(handle, happened: event)
            default: handle.observer?.connection(handle, happened: event)
            }
        }
    }

    /// The connection only knows that nothing came; the socket may know why.
    private func explained(_ error: QUICError) -> QUICError {
        guard case .noAnswer(let remote, _) = error, let reason = sendFailures.reason(for: remote) else { return error }
        return .unreachable(remote: remote, reason: reason)
    }
}
