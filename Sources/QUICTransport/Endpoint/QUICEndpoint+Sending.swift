import NIOCore

extension QUICEndpoint {
    /// Datagrams that one connection may send before it is another connection's turn.
    private static let datagramsPerTurn = 64

    /// The connection has something to send, or its deadline moved.
    func needsFlush(_ handle: QUICConnectionHandle) {
        guard !handle.isDirty, handle.isKnown else { return }
        pending.add(handle)
        scheduleFlush()
    }

    /// The same, unless the connection has nothing that should not wait for more.
    func sendOrSettle(_ handle: QUICConnectionHandle) {
        guard !handle.isDirty, handle.isKnown else { return }
        if handle.connection.hasToSend { needsFlush(handle) } else { settle(handle) }
    }

    /// Has what was written leave with the burst, or with this tick of the loop.
    private func scheduleFlush() {
        guard pending.schedule() else { return }
        eventLoop.assumeIsolated().execute(whenTickEnds)
    }

    /// Sends what all marked connections have to send, as far as the socket takes it.
    package func flush() {
        let now = NIODeadline.now()
        var hasWritten = false
        let round = pending.takeRound()
        for handle in round {
            handle.isDirty = false
            if socket(for: handle.connection.localAddress).writableChannel != nil {
                hasWritten = send(handle, at: now) || hasWritten
                deliverEvents(of: handle)
            } else {
                // The next flush comes when the socket is open or writable again.
                pending.add(handle)
            }
            settle(handle)
        }
        pending.roundEnded(round)
        if hasWritten || pending.hasReplies { flushSockets() }
        pending.hasReplies = false
        armTimer()
        abandonIfFlushed()
    }

    /// Sends a datagram that belongs to no connection with the burst; drops it if the socket takes no more now.
    func reply(_ datagram: QUICDatagram) {
        guard let channel = socket.writableChannel else { return }
        pending.hasReplies = true
        scheduleFlush()
        channel.pipeline.syncOperations.write(
            NIOAny(AddressedEnvelope(remoteAddress: datagram.remote, data: datagram.bytes)), promise: nil)
    }

    /// - Returns: Whether anything was written.
    private func send(_ handle: QUICConnectionHandle, at now: NIODeadline) -> Bool {
        var batch: DatagramBatch?
        var local = handle.connection.localAddress
        var count = 0
        while count < Self.datagramsPerTurn, let datagram = handle.connection.nextDatagram(at: now) {
            count += 1
            // While a connection moves, its datagrams go by both paths.
            if sockets.areSeveral, datagram.local != local {
                if let full = batch { write(full, of: handle, from: local) }
                batch = nil
                local = datagram.local
            }
            if sendFailures.usesSegmentation, batch?.append(datagram.bytes, remote: datagram.remote) == true {
                continue
            }
            if let full = batch { write(full, of: handle, from: local) }
            batch = DatagramBatch(datagram.bytes, remote: datagram.remote)
        }
        if let rest = batch { write(rest, of: handle, from: local) }
        if count == Self.datagramsPerTurn { needsFlush(handle) }
        if count > 0, !handle.isAwaited { awaitAnswer(handle) }
        return count > 0
    }

    /// Clients only: if a server's peer does not answer, the idle timeout ends the connection.
    private func awaitAnswer(_ handle: QUICConnectionHandle) {
        guard server == nil, handle.connection.unansweredSince != nil else { return }
        handle.isAwaited = handle.observer?.connectionAwaitsAnswer(handle) ?? false
    }

    private func write(_ batch: DatagramBatch, of handle: QUICConnectionHandle, from local: SocketAddress) {
        // A path whose socket is gone loses what is sent on it, like any other.
        guard let channel = socket(for: local).channel else { return }
        let isSegmented = batch.segments > 1
        // After the handshake, QUIC itself finds out what does not arrive.
        guard isSegmented || !handle.connection.isHandshakeConfirmed else {
            return channel.pipeline.syncOperations.write(NIOAny(batch.envelope), promise: nil)
        }
        let promise = eventLoop.makePromise(of: Void.self)
        channel.pipeline.syncOperations.write(NIOAny(batch.envelope), promise: promise)
        promise.futureResult.assumeIsolated().whenFailure { [weak self] error in
            guard let self, let error = error as? IOError else { return }
            if sendFailures.failed(error, isSegmented: isSegmented) {
                logger.notice("UDP segmentation offload is not supported by the network interface and is now off")
            }
        }
    }
}
