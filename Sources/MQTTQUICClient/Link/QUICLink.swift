import NIOCore
import QUICTransport

/// A link over QUIC: its control stream, and data streams beside it.
///
/// ```
/// idle --> dialing --verified--> awaitingStream --> open --finish--> finishing
///            |                        |              |                  |
///            +------------------------+--------------+---> closed <-----+
/// ```
final class QUICLink {
    enum State {
        case idle
        case dialing(QUICDial)
        /// The broker is verified, and allows no stream yet.
        case awaitingStream(QUICConnectionHandle, LinkFacts)
        case open(QUICConnectionHandle)
        /// FIN is under way on all streams.
        case finishing(QUICConnectionHandle)
        case closed
    }

    unowned let dialer: LinkDialer
    let security: LinkSecurity
    private let sockets: LinkSockets
    weak var observer: (any LinkCarrierObserver)?
    var state = State.idle
    private let timer: Timer
    var path: LinkPath?
    private let connect: ByteBuffer
    /// Where CONNECT went out as early data; `nil` if it did not, or has to be sent again.
    private var early: (handle: QUICConnectionHandle, stream: QUICStreamID)?
    private var wasEarly = false
    var streams = LinkStreams()

    init(
        connect: ByteBuffer, security: LinkSecurity, sockets: LinkSockets, dialer: LinkDialer,
        observer: any LinkCarrierObserver
    ) {
        self.connect = connect
        self.security = security
        self.sockets = sockets
        self.dialer = dialer
        self.observer = observer
        self.timer = Timer(on: dialer.eventLoop)
    }

    var handle: QUICConnectionHandle? {
        switch state {
        case .awaitingStream(let handle, _), .open(let handle), .finishing(let handle): handle
        case .idle, .dialing, .closed: nil
        }
    }

    /// Lets go of everything but the connection.
    private func end() {
        state = .closed
        timer.cancel()
        path?.stop()
        path = nil
        early = nil
        sockets.remove(self)
    }

    func end(_ end: LinkEnd) {
        let handle = handle
        self.end()
        handle?.observer = nil
        handle?.close()
        observer?.carrierEnded(end)
    }
}

extension QUICLink: LinkCarrier {
    func start(within patience: Duration) {
        let target = dialer.settings.target(.quic)
        let dial = QUICDial(owner: self, until: .now() + TimeAmount(patience), on: dialer.eventLoop)
        state = .dialing(dial)
        sockets.add(self)
        dial.awaitsAddresses(of: target.host)
        dialer.lookUp(target) { [weak self, weak dial] result in
            guard self != nil, let dial, dial.isAwaitingAddresses else { return }
            switch result {
            case .success(let addresses): dial.begin(with: addresses, preferring: self?.dialer.lastGoodFamily)
            case .failure(let error): dial.fail("\(error)", error)
            }
        }
    }

    func write(_ bytes: ByteBuffer, on stream: LinkStream) {
        guard case .open(let handle) = state, let id = streams[stream] else { return }
        handle.write(id, bytes)
        streams.note(stream, backlog: backlog(of: stream))
    }

    func backlog(of stream: LinkStream) -> Int {
        guard let handle, let id = streams[stream] else { return 0 }
        return handle.backlog(id, inFlight: QUICConfiguration.inFlight(beside: LinkWaterMarks.high))
    }

    func consumed(_ bytes: Int, on stream: LinkStream) {
        // A stream that has ended still owes its credit to the connection.
        guard let handle, let id = streams.id(of: stream) else { return }
        handle.consumed(id, bytes: streams.consumed(bytes, on: stream))
    }

    func openDataStream() -> LinkStream? {
        guard case .open(let handle) = state, let id = try? handle.openStream() else { return nil }
        return streams.addData(id)
    }

    func finish() {
        guard case .open(let handle) = state else { return }
        state = .finishing(handle)
        for (stream, id) in streams.open {
            handle.write(id, nil, fin: true)
            // Nobody reads any more, and the broker must not lack credit for its FIN.
            handle.consumed(id, bytes: streams.consumed(.max, on: stream))
        }
        timer.arm(in: LinkFarewell.patience) { [weak self] in self?.end(.finished) }
    }

    func close() {
        let previous = state
        end()
        switch previous {
        case .dialing(let dial): dial.abandon()
        case .awaitingStream(let handle, _), .open(let handle), .finishing(let handle):
            handle.observer = nil
            handle.close()
        case .idle, .closed: break
        }
    }
}

// MARK: - Making the connection

extension QUICLink: QUICDialOwner {
    func dial(
        _ dial: QUICDial, connectTo address: SocketAddress, ticket: QUICResumption?, isEarly: Bool
    ) throws -> QUICConnectionHandle {
        let left = max(Duration(dial.deadline - .now()), .milliseconds(100))
        return try sockets.endpoint(for: address).connect(
            to: address, serverName: dialer.settings.certificateName(.quic),
            configuration: dialer.settings.quic(handshakeTimeout: left), tls: security.quic, resumption: ticket,
            earlyData: isEarly, observer: dial)
    }

    func takeTicket() -> QUICResumption? { security.tickets?.take(for: dialer.settings.ticketServer) }

    func putBack(_ ticket: QUICResumption) { security.tickets?.put(ticket, for: dialer.settings.ticketServer) }

    var hasEarlyData: Bool { dialer.settings.configuration.zeroRTT }

    func sendEarlyData(on handle: QUICConnectionHandle) throws -> Bool {
        guard let stream = try handle.openStream() else { return false }
        early = (handle, stream)
        wasEarly = true
        handle.write(stream, connect)
        return true
    }

    func earlyDataLost(on handle: QUICConnectionHandle, isRejected: Bool) {
        if early?.handle === handle { early = nil }
    }

    func dialSucceeded(_ winner: QUICDial.Winner) {
        let handle = winner.handle
        if early?.handle !== handle { early = nil }
        dialer.lastGoodFamily = winner.address.protocol
        handle.observer = self
        path = LinkPath(handle, sockets: sockets, on: dialer.eventLoop) { [weak self] in
            self?.end(
                .lost(
                    .connectionLost(detail: "the broker answers, but not on this connection"), isRetryUseful: true))
        }
        state = .awaitingStream(
            handle,
            LinkFacts(
                transport: .quic, remoteAddress: winner.address.hostAndPort, isResumed: handle.isResumed,
                isEarlyDataAccepted: wasEarly ? early != nil && handle.isEarlyDataAccepted : nil))
        openControlStream()
    }

    func dialFailed(_ failure: QUICDial.Failure) {
        end()
        observer?.carrierFailed(
            LinkFailure(
                cause: failure.cause, why: failure.why, kind: failure.kind, on: dialer.settings.target(.quic)))
    }

    func openControlStream() {
        guard case .awaitingStream(let handle, let facts) = state else { return }
        if let early {
            streams.addControl(early.stream)
        } else {
            do {
                guard let stream = try handle.openStream() else { return }
                streams.addControl(stream)
                handle.write(stream, connect)
            } catch {
                return end(.lost(.connectionLost(detail: "\(error)"), isRetryUseful: true))
            }
        }
        early = nil
        state = .open(handle)
        observer?.carrierOpened(facts)
    }
}
