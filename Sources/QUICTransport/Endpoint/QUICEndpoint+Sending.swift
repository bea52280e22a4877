import NIOCore

extension QUICEndpoint {
    /// Datagrams that one connection may send before it is another connection's turn.
    private static let datagramsPerTurn = 64
    /// How long what a socket holds waits for the system to take more. A socket's buffer of the usual 200 KB lasts
    /// longer at 1 Gbit/s.
    private static let heldPause = TimeAmount.milliseconds(1)

    /// The connection has something to send, or its deadline moved.
    func needsFlush(_ handle: QUICConnectionHandle) {
        guard !handle.isDirty, handle.isKnown else { return }
        pending.add(handle)
        scheduleFlush()
    }

    /// The same, unless the connection has nothing that should not wait for more.
    func sendOrSettle(_ handle: QUICConnectionHandle) {
        guard !handle.isDirty, !handle.isBeingRead, handle.isKnown else { return }
        if handle.connection.hasToSend { needsFlush(handle) } else { settle(handle) }
    }

    /// Has what was written leave with the burst, or with this tick of the loop.
    private func scheduleFlush() {
        guard pending.schedule() else { return }
        eventLoop.assumeIsolated().execute(whenTickEnds)
    }

    /// Sends what all marked connections have to send, as far as the socket takes it.
    package func flush() {
        guard !pending.isIdle else {
            armTimer()
            return abandonIfFlushed()
        }
        let now = NIODeadline.now()
        let round = pending.takeRound()
        for handle in round {
            handle.isDirty = false
            if socket(of: handle.connection).isWritable {
                send(handle, at: now)
                deliverEvents(of: handle)
            } else {
                // The next flush comes when the socket is open or writable again.
                pending.add(handle)
            }
            settle(handle)
        }
        pending.roundEnded(round)
        sendBatch()
        if pending.takeUnflushed() { flushSockets() }
        armTimer()
        abandonIfFlushed()
    }

    /// Sends a datagram that belongs to no connection; drops it if the socket takes no more now.
    func reply(_ datagram: QUICDatagram) {
        guard socket.channel != nil, socket.isWritable else { return }
        sendBatch()
        batchSocket = socket
        let source = socket.hasManyAddresses ? datagram.local : nil
        guard batch.put(datagram.bytes, to: datagram.remote, from: source) else { return }
        sendBatch()
        if pending.hasUnflushed { scheduleFlush() }
    }

    private func send(_ handle: QUICConnectionHandle, at now: NIODeadline) {
        let connection = handle.connection
        let capacity = connection.configuration.datagramCapacity
        var count = 0
        while count < Self.datagramsPerTurn {
            if batch.space.count < capacity { sendBatch() }
            let length = connection.nextDatagram(into: batch.space, at: now)
            guard length > 0 else { break }
            count += 1
            // While a connection moves, its datagrams go by both paths.
            let socket = socket(of: connection)
            let isAlone = batch.isEmpty || !sendFailures.usesSegmentation || socket !== batchSocket
            let path = connection.datagramPath
            if isAlone || !batch.append(length, to: path, choosesSource: socket.hasManyAddresses) {
                sendBatch(keeping: length)
                batchSocket = socket
                _ = batch.append(length, to: path, choosesSource: socket.hasManyAddresses)
            }
            if connection.hasWrittenProbe { batch.end() }
        }
        if count == Self.datagramsPerTurn { needsFlush(handle) }
        if count > 0, !handle.isAwaited { awaitAnswer(handle) }
    }

    /// Clients only: if a server's peer does not answer, the idle timeout ends the connection.
    private func awaitAnswer(_ handle: QUICConnectionHandle) {
        guard server == nil, handle.connection.unansweredSince != nil else { return }
        handle.isAwaited = handle.observer?.connectionAwaitsAnswer(handle) ?? false
    }

    /// - Parameter size: The size of a datagram that was written behind the batch, and begins the next one.
    private func sendBatch(keeping size: Int = 0) {
        if !batch.isEmpty, let socket = batchSocket {
            traffic.datagramsSent &+= UInt64(batch.segments)
            transmit(by: socket)
        }
        batch.leave(keeping: size)
    }

    private func transmit(by socket: EndpointSocket) {
        let isDirect = socket.descriptor >= 0 && socket.waitingWrites == 0 && socket.held.isEmpty
        traffic.sendCalls &+= 1
        switch isDirect ? batch.send(by: socket.descriptor) : .notNow {
        case .sent: break
        case .notNow where batch.hasSource && socket.descriptor >= 0: hold(by: socket)
        case .notNow: sendByChannel(of: socket)
        case .refused(let error): refused(error, by: socket)
        }
    }

    /// The system refuses the batch, so it is lost, as it could be on any path. SwiftNIO would close the socket for that
    /// and so interrupt the connections to all other peers. A stranger's datagram with source port 0 would be enough.
    private func refused(_ error: CInt, by socket: EndpointSocket) {
        var error = error
        if batch.segments > 1, SendFailures.mayBeSegmentation(error) {
            let outcomes = batch.sendSingly(by: socket.descriptor)
            traffic.sendCalls &+= UInt64(batch.segments)
            if outcomes.first == .sent {
                sendFailures.segmentationFailed()
                logger.notice("UDP segmentation offload is not supported by the network interface and is now off")
            }
            guard case .refused(let last) = outcomes.last else { return }
            error = last
        }
        if let remote = batch.address { sendFailures.failed(error, to: remote) }
        socket.refused(error)
    }

    /// Keeps the batch until the socket takes it. SwiftNIO would send it from another address.
    func hold(by socket: EndpointSocket) {
        guard socket.hold(batch.parcel) else { return }
        Timer.once(in: Self.heldPause, on: eventLoop) { [weak self, weak socket] in
            if let self, let socket { sendHeld(by: socket) }
        }
    }

    private func sendHeld(by socket: EndpointSocket) {
        sendBatch()
        for parcel in socket.takeHeld() {
            guard socket.held.isEmpty else {
                _ = socket.hold(parcel)
                continue
            }
            batch.put(parcel)
            transmit(by: socket)
            batch.leave()
        }
        if socket.held.isEmpty { flush() }
    }

    /// Leaves the batch to SwiftNIO, which sends it when the socket takes it.
    private func sendByChannel(of socket: EndpointSocket) {
        // A path whose socket is gone loses what is sent on it, like any other.
        guard let channel = socket.channel, let envelope = batch.envelope else { return }
        let promise = eventLoop.makePromise(of: Void.self)
        socket.waitingWrites += 1
        // Flushed when the batch is empty, because that may close the socket, which leads to another flush.
        pending.hasUnflushed = true
        channel.pipeline.syncOperations.write(NIOAny(envelope), promise: promise)
        promise.futureResult.assumeIsolated().whenComplete { [weak self] result in
            socket.waitingWrites -= 1
            guard let self, case .failure(let error as IOError) = result else { return }
            sendFailures.failed(error.errnoCode, to: envelope.remoteAddress)
        }
    }
}
