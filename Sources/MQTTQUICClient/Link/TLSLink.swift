import NIOCore
import QUICTransport
import TLSTransport

/// A link by MQTT over TLS over TCP. It has a single stream.
///
/// ```
/// idle --> dialing --verified--> open --finish--> finishing
///            |                    |                  |
///            +--------------------+---> closed <-----+
/// ```
final class TLSLink {
    private enum State {
        case idle
        case dialing(TLSConnection)
        case open(TLSConnection)
        /// Our close_notify is under way.
        case finishing(TLSConnection)
        case closed
    }

    private unowned let dialer: LinkDialer
    private let context: TLSClientContext
    private weak var observer: (any LinkCarrierObserver)?
    private var state = State.idle
    private let timer: Timer
    private let connect: ByteBuffer
    private var isFull = false
    private var unconsumed = 0

    init(
        connect: ByteBuffer, context: TLSClientContext, dialer: LinkDialer, observer: any LinkCarrierObserver
    ) {
        self.connect = connect
        self.context = context
        self.dialer = dialer
        self.observer = observer
        self.timer = Timer(on: dialer.eventLoop)
    }

    private func end(_ end: LinkEnd) {
        close()
        observer?.carrierEnded(end)
    }
}

extension TLSLink: LinkCarrier {
    func start(within patience: Duration) {
        let connection = TLSConnection(
            words: context.words, window: LinkSettings.window, observer: self, eventLoop: dialer.eventLoop)
        let deadline = NIODeadline.now() + TimeAmount(patience)
        state = .dialing(connection)
        connection.limit(by: deadline, of: patience)
        let connector = TLSConnector(context, keepAlive: dialer.settings.tcpKeepAlive, on: dialer.eventLoop)
        dialer.lookUp(dialer.settings.target(.tls)) { [context] result in
            guard connection.isDialing else { return }
            switch result {
            case .success(let addresses): connector.connect(connection, to: addresses, until: deadline)
            case .failure(let error): connection.fail(context.words.error(error, certificate: nil))
            }
        }
    }

    func write(_ bytes: ByteBuffer, on stream: LinkStream) {
        guard case .open(let connection) = state, stream == .control else { return }
        connection.write(bytes, fin: false)
        if connection.backlog >= LinkWaterMarks.high { isFull = true }
    }

    func backlog(of stream: LinkStream) -> Int {
        guard case .open(let connection) = state, stream == .control else { return 0 }
        return connection.backlog
    }

    func consumed(_ bytes: Int, on stream: LinkStream) {
        guard case .open(let connection) = state, stream == .control else { return }
        let bytes = min(max(bytes, 0), unconsumed)
        unconsumed -= bytes
        connection.consumed(bytes)
    }

    func openDataStream() -> LinkStream? { nil }

    func finish() {
        guard case .open(let connection) = state else { return }
        state = .finishing(connection)
        connection.write(nil, fin: true)
        // Nobody reads any more, and the broker's end comes after what it has sent.
        connection.consumed(unconsumed)
        unconsumed = 0
        timer.arm(in: LinkFarewell.patience) { [weak self] in self?.end(.finished) }
    }

    func close() {
        let previous = state
        state = .closed
        timer.cancel()
        switch previous {
        case .dialing(let connection): connection.close()
        case .open(let connection), .finishing(let connection): connection.leave()
        case .idle, .closed: break
        }
    }
}

extension TLSLink: TLSConnectionObserver {
    func tlsReady(_ connection: TLSConnection) {
        guard case .dialing = state else { return }
        state = .open(connection)
        connection.write(connect, fin: false)
        let remote = connection.addresses?.remote?.hostAndPort ?? dialer.settings.target(.tls).hostAndPort
        observer?.carrierOpened(LinkFacts(transport: .tls, remoteAddress: remote, isResumed: false))
    }

    func tlsFailed(_ connection: TLSConnection, _ failure: TLSFailure) {
        guard case .dialing = state else { return }
        state = .closed
        timer.cancel()
        observer?.carrierFailed(LinkFailure(failure, on: dialer.settings.target(.tls)))
    }

    func tls(_ connection: TLSConnection, received bytes: ByteBuffer) {
        guard case .open = state else { return connection.consumed(bytes.readableBytes) }
        unconsumed += bytes.readableBytes
        observer?.carrierReceived(bytes, on: .control)
    }

    func tlsDrained(_ connection: TLSConnection) {
        guard case .open = state, isFull, connection.backlog < LinkWaterMarks.low else { return }
        isFull = false
        observer?.carrierWritable(on: .control)
    }

    func tlsEnded(_ connection: TLSConnection) {
        ended(.endedByBroker)
    }

    func tlsLost(_ connection: TLSConnection, cause: (any Error)?) {
        if let refusal = context.words.refusal(cause) {
            // With TLS 1.3 the server judges the client's certificate after the client's handshake has completed.
            return ended(.lost(.clientCertificateRefused(detail: "\(refusal)"), isRetryUseful: false))
        }
        ended(.lost(.connectionLost(detail: context.words.loss(cause)), isRetryUseful: true))
    }

    private func ended(_ end: LinkEnd) {
        switch state {
        case .open: self.end(end)
        case .finishing: self.end(.finished)
        case .idle, .dialing, .closed: break
        }
    }
}
