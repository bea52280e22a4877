import NIOCore
import QUICTransport

extension QUICLink: QUICConnectionObserver {
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        guard handle === self.handle else { return }
        switch event {
        case .streamsAvailable: openControlStream()
        case .ticketReceived(let ticket):
            security.tickets?.put(ticket, for: dialer.settings.ticketServer)
            dialer.ticketsChanged(security)
        case .streamData(let id, let bytes, let isEnd): received(bytes, isEnd: isEnd, on: id, handle)
        case .streamDrained(let id, _): drained(id)
        case .streamReset(let id, let code): reset(id, code: code)
        case .stopSending(let id, _): stopped(id, after: max(handle.probeTimeout * 3, Self.leastPatience))
        case .pathChanged(_, let remote):
            let local = NetworkRoute.source(to: remote)?.ipAddress
            observer?.carrierMoved(to: local ?? handle.localAddress.hostAndPort)
        case .closed(let error): closed(error)
        case .handshakeCompleted, .handshakeConfirmed, .streamClosed, .streamOpened, .connectionIDIssued,
            .connectionIDRetired, .pathFailed, .earlyDataRejected:
            break
        }
    }

    func connectionAwaitsAnswer(_ handle: QUICConnectionHandle) -> Bool {
        guard handle === self.handle, let path else { return false }
        path.awaitsAnswer()
        return true
    }

    func connectionReceived(_ handle: QUICConnectionHandle) {
        guard handle === self.handle else { return }
        path?.received()
    }

    /// The least time that a broker gets to say why it reads no more.
    private static let leastPatience = Duration.milliseconds(250)

    private func received(_ bytes: ByteBuffer, isEnd: Bool, on id: QUICStreamID, _ handle: QUICConnectionHandle) {
        guard case .open = state, let stream = streams.name(of: id) else {
            handle.consumed(id, bytes: bytes.readableBytes)
            if isEnd, streams.name(of: id) == .control { finished() }
            return
        }
        if bytes.readableBytes > 0 {
            streams.received(bytes.readableBytes, on: stream)
            observer?.carrierReceived(bytes, on: stream)
        }
        guard isEnd, case .open = state else {
            if isEnd, stream == .control { finished() }
            return
        }
        ended(stream, .endedByBroker)
    }

    /// The broker has answered our FIN.
    private func finished() {
        if case .finishing = state { end(.finished) }
    }

    private func ended(_ stream: LinkStream, _ end: @autoclosure () -> LinkEnd) {
        guard stream != .control else { return self.end(end()) }
        if let id = streams[stream] { handle?.reset(id, code: 0) }
        streams.close(stream)
        observer?.carrierEnded(stream)
    }

    private func reset(_ id: QUICStreamID, code: UInt64) {
        guard let stream = streams.name(of: id) else { return }
        if case .finishing = state {
            if stream == .control { finished() }
            return
        }
        ended(stream, LinkEnd(applicationCode: code, "the broker reset the stream with code \(code)"))
    }

    /// The broker reads no more of the stream. Usually a DISCONNECT, FIN or reset comes with that and says more, so
    /// those are awaited.
    private func stopped(_ id: QUICStreamID, after patience: Duration) {
        guard case .open = state, let stream = streams.name(of: id) else { return }
        Timer.once(in: TimeAmount(patience), on: dialer.eventLoop) { [weak self] in
            guard let self, case .open = state, streams[stream] == id else { return }
            ended(
                stream,
                .lost(.connectionLost(detail: "the broker reads no more of the session's stream"), isRetryUseful: true))
        }
    }

    private func drained(_ id: QUICStreamID) {
        guard case .open = state, let stream = streams.name(of: id),
            streams.isWritableAgain(stream, backlog: backlog(of: stream))
        else { return }
        observer?.carrierWritable(on: stream)
    }

    private func closed(_ error: QUICError) {
        switch state {
        case .finishing: end(.finished)
        case .awaitingStream, .open: end(LinkEnd(error))
        case .idle, .dialing, .closed: break
        }
    }
}

extension QUICLink: LinkSocketsObserver {
    func networkChanged() {
        if case .dialing(let dial) = state { dial.hurry() }
    }

    func answered(_ address: SocketAddress) {
        path?.serverAnswered(at: address)
    }
}
