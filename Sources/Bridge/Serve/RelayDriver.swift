import BridgeCore
import NIOCore
import QUICTransport

/// Performs a ``StreamRelay``'s actions on a client's stream and the TCP connection to the broker, and decides nothing.
///
/// Both directions have back pressure: the client gets flow control credit once the broker's socket has taken its
/// bytes, and nothing is read from the broker while `serve.stream_buffer` bytes wait to be sent to the client, or eight
/// times as many to be sent and acknowledged.
final class RelayDriver {
    let host: ServeHost
    let handle: QUICConnectionHandle
    let stream: QUICStreamID
    let peer: String
    private let room: WaitingRoom
    /// `serve.stream_buffer` when the connection came.
    private let streamBuffer: Int
    var relay: StreamRelay
    private(set) var leg: BrokerLeg?
    private let timer: Timer
    private var timerKind: RelayTimer?
    var clientID: String?
    let startedAt = NIODeadline.now()
    var meter = DeviceMeter()
    private var isBrokerPaused = false
    private var isCounted = false
    /// How many bytes the client may be sent at least before it is full; 0 or less if that has to be looked at.
    private var clientRoom = 0
    /// Bytes of the client that were sent to the broker, and for which the client has been given no new credit yet.
    private var uncredited = 0
    private var pieces: LongPacketPieces
    /// How many bytes of this session ``room`` counts.
    private var countedBytes = 0
    /// Called once, when the session has ended and only the stream is left to be closed.
    private let whenOver: () -> Void
    private(set) var isOver = false
    /// The code with which the client's stream was reset; `nil` if it was not.
    private(set) var resetCode: UInt64?
    /// The broker address whose ``BrokerPulse`` counts this session; `nil` before the connection and after its end.
    var broker: SocketAddress?

    init(
        host: ServeHost, handle: QUICConnectionHandle, stream: QUICStreamID, peer: String, room: WaitingRoom,
        streamBuffer: Int, whenOver: @escaping () -> Void
    ) {
        self.host = host
        self.timer = Timer(on: host.eventLoop)
        self.handle = handle
        self.stream = stream
        self.peer = peer
        self.room = room
        self.streamBuffer = streamBuffer
        self.whenOver = whenOver
        self.pieces = LongPacketPieces(window: streamBuffer)
        self.relay = StreamRelay(
            context: .init(
                connectWithin: host.configuration.limits.connectWithin, maximumConnect: streamBuffer))
    }

    func start() {
        host.add(self)
        perform(relay.started())
    }

    /// - Parameter code: The code of the stream's reset, for clients that can be told by nothing else.
    func shutDown(_ code: UInt64) {
        perform(relay.shutDown(code))
    }

    /// The stream is closed in both directions, and with it this driver's work is done.
    func streamClosed() {
        perform(relay.connectionLost("the stream was closed"))
        release()
    }

    func connectionLost(_ why: String) {
        perform(relay.connectionLost(why))
        release()
    }

    private func release() {
        host.remove(self)
        timer.cancel()
        settleCredit()
        leaveBroker()
        leg?.detach()
        leg = nil
        if isCounted { host.statistics.openSessions -= 1 }
        isCounted = false
    }
}

// MARK: - The client

extension RelayDriver {
    func clientSent(_ bytes: ByteBuffer, isEnd: Bool) {
        host.gathering?.arrived()
        if !isEnd, relay.passesToBroker(bytes) {
            host.statistics.messagesUp &+= UInt64(relay.takeMessagesUp())
            return sendToBroker(bytes)
        }
        perform(relay.clientSent(bytes, isEnd: isEnd))
        host.statistics.messagesUp &+= UInt64(relay.takeMessagesUp())
        if countedBytes > 0, room.isOverfull { perform(relay.overloaded()) }
    }

    func clientReset(code: UInt64) {
        perform(relay.clientReset(code: code))
    }

    func clientStopped() {
        perform(relay.clientStopped())
        // The client acknowledges nothing any more, so waiting for that would block the broker forever.
        isBrokerPaused = false
        leg?.resume()
    }

    /// The client acknowledged bytes.
    func streamDrained() {
        progressed()
        guard isBrokerPaused, backlog <= streamBuffer / 2 else { return }
        isBrokerPaused = false
        leg?.resume()
    }

    private func send(_ bytes: ByteBuffer) {
        host.statistics.bytesDown += UInt64(bytes.readableBytes)
        meter.bytesDown &+= UInt64(bytes.readableBytes)
        handle.write(stream, bytes)
        clientRoom -= bytes.readableBytes
        guard clientRoom <= 0, !isBrokerPaused else { return }
        // What the client has still to acknowledge only becomes less in between, so it is not looked at each time.
        clientRoom = streamBuffer - backlog
        guard clientRoom <= 0 else { return }
        isBrokerPaused = true
        leg?.pause()
    }

    private var backlog: Int {
        handle.backlog(stream, inFlight: QUICConfiguration.inFlight(beside: streamBuffer))
    }

    /// Sends bytes to the broker, and gives the client credit in steps, because a promise for each write would cost more
    /// than the write.
    private func sendToBroker(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        host.statistics.bytesUp += UInt64(count)
        meter.bytesUp &+= UInt64(count)
        uncredited += count
        guard let bytes = pieces.add(bytes, isInnerPart: relay.isInnerPart, at: .now()) else { return }
        guard uncredited >= ServeConfiguration.Limits.creditStep(ofBuffer: streamBuffer) else {
            leg?.send(bytes)
            return
        }
        let credit = uncredited
        uncredited = 0
        leg?.send(bytes) { [weak self, handle, stream] in
            handle.consumed(stream, bytes: credit)
            self?.progressed()
        }
    }

    /// Gives the client, which sends nothing more here, what is left of its credit: the other streams of its connection
    /// need it.
    private func settleCredit() {
        guard uncredited > 0 else { return }
        handle.consumed(stream, bytes: uncredited)
        uncredited = 0
    }

    /// One side took bytes that were on their way to it.
    private func progressed() {
        if !relay.ignoresProgress() { perform(relay.progressed()) }
    }
}

// MARK: - The broker

extension RelayDriver: BrokerLegObserver {
    func brokerConnected() {
        broker = leg?.remoteAddress
        if let broker { host.pulses.joined(broker) }
        isCounted = true
        enter(.live)
        host.statistics.sessions += 1
        host.statistics.openSessions += 1
        // The relay must know of the connection before anything is written, because a write may fail at once.
        let actions = relay.brokerConnected()
        sendProxyHeader()
        perform(actions)
    }

    func brokerUnreachable(_ why: String) {
        perform(relay.brokerUnreachable(why))
    }

    func brokerSent(_ bytes: ByteBuffer) {
        host.gathering?.arrived()
        if relay.passesToClient(bytes) {
            host.statistics.messagesDown &+= UInt64(relay.takeMessagesDown())
            return send(bytes)
        }
        perform(relay.brokerSent(bytes))
        host.statistics.messagesDown &+= UInt64(relay.takeMessagesDown())
    }

    func brokerEnded() {
        perform(relay.brokerEnded())
    }

    func brokerFailed(_ why: String, byBroker: Bool) {
        perform(relay.brokerFailed(why, byBroker: byBroker))
    }

    private func sendProxyHeader() {
        guard host.configuration.sendsProxyHeader else { return }
        leg?.send(ProxyHeader.encode(source: handle.remoteAddress, destination: handle.localAddress))
    }
}

// MARK: - Actions

extension RelayDriver {
    func perform(_ actions: [RelayAction]) {
        room.change(by: relay.waitingBytes - countedBytes)
        countedBytes = relay.waitingBytes
        for action in actions { perform(action) }
        guard relay.isOver, !isOver else { return }
        isOver = true
        whenOver()
    }

    private func perform(_ action: RelayAction) {
        switch action {
        case .connectBroker:
            identify()
            leg = host.broker.connect(observer: self)
        case .sendToBroker(let bytes):
            sendToBroker(bytes)
        case .discard(let count):
            handle.consumed(stream, bytes: count)
        case .finishBroker:
            leaveBroker()
            settleCredit()
            if let rest = pieces.take() { leg?.send(rest) }
            leg?.finish()
        case .abortBroker:
            leaveBroker()
            settleCredit()
            leg?.abort()
        case .judgeEnd:
            judgeEnd()
        case .countEnd:
            if let broker { host.pulses.explained(broker) }
            broker = nil
        case .sendToClient(let bytes):
            send(bytes)
        case .finishClient:
            handle.write(stream, nil, fin: true)
        case .resetClient(let code):
            resetCode = code
            handle.reset(stream, code: code)
        case .start(let kind, let delay):
            start(kind, TimeAmount(delay))
        case .stop(let kind):
            if timerKind == kind { timer.cancel() }
        case .ended(let why):
            enter(.ending)
            ended(why)
        }
    }

    /// The relay never needs more than one timer at a time.
    private func start(_ kind: RelayTimer, _ delay: TimeAmount) {
        timerKind = kind
        timer.arm(in: delay) { [weak self] in
            if let self { perform(relay.timedOut(kind)) }
        }
    }
}
