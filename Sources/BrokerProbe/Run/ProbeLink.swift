import Logging
import NIOCore
import QUICTransport

/// One connection to the broker, with what came over it.
///
/// Confined to its event loop. Whoever waits for something gives a closure that looks for it; it is called after each
/// event.
final class ProbeLink: QUICConnectionObserver {
    let endpoint: QUICEndpoint
    /// When the first datagram left.
    private(set) var startedAt = NIODeadline.now()
    private(set) var handle: QUICConnectionHandle?
    /// The protocol that the broker chose; `nil` before the handshake has completed.
    private(set) var alpn: String?
    private(set) var ticket: QUICResumption?
    /// Why the connection has ended; `nil` if it has not.
    private(set) var end: QUICError?
    /// The chain that the broker had shown when the connection ended.
    private(set) var lastCertificates: [QUICCertificate] = []
    private(set) var streams: [QUICStreamID: ProbeStream] = [:]
    private let eventLoop: any EventLoop
    private let timer: Timer
    private var check: (() -> Void)?

    init(_ family: QUICAddressFamily, on eventLoop: any EventLoop) throws {
        self.eventLoop = eventLoop
        timer = Timer(on: eventLoop)
        endpoint = try QUICEndpoint(
            eventLoop: eventLoop, family: family, logger: Logger(label: "probe") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Starts the handshake.
    /// - Parameter resumption: A ticket. Early data is offered if it allows that, but none is sent.
    func start(
        to address: SocketAddress, serverName: String, _ configuration: QUICConfiguration, _ tls: QUICTLSContext,
        resumption: QUICResumption? = nil
    ) throws(QUICError) {
        startedAt = .now()
        handle = try endpoint.connect(
            to: address, serverName: serverName, configuration: configuration, tls: tls, resumption: resumption,
            earlyData: resumption != nil, observer: self)
    }

    // MARK: - Streams

    /// Opens a stream and sends this; `nil` if the broker allows no stream now.
    func open(_ bytes: ByteBuffer, _ stream: ProbeStream) throws(QUICError) -> QUICStreamID? {
        guard let handle, let id = try handle.openStream() else { return nil }
        streams[id] = stream
        handle.write(id, bytes)
        return id
    }

    /// The next packet of the stream that was not taken yet.
    func takePacket(_ id: QUICStreamID) -> ProbeStream.Element? {
        streams[id]?.next()
    }

    // MARK: - Waiting

    /// Waits until `look` finds something. The value is `nil` if the time is over, or the connection has ended.
    func wait<Value: Sendable>(
        _ limit: TimeAmount, for look: @escaping (ProbeLink) -> Value?
    ) -> EventLoopFuture<Value?> {
        let promise = eventLoop.makePromise(of: Value?.self)
        let finish = { [weak self] (value: Value?) in
            self?.check = nil
            self?.timer.cancel()
            promise.succeed(value)
        }
        check = { [weak self] in
            guard let self else { return }
            if let value = look(self) { finish(value) } else if end != nil { finish(nil) }
        }
        timer.arm(in: limit) { finish(nil) }
        check?()
        return promise.futureResult
    }

    // MARK: - Events

    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        switch event {
        case .handshakeCompleted(let alpn): self.alpn = alpn
        case .ticketReceived(let ticket): self.ticket = ticket
        case .streamData(let id, let bytes, let fin):
            streams[id]?.received(bytes, fin: fin)
            handle.consumed(id, bytes: bytes.readableBytes)
        case .streamReset(let id, let code): streams[id]?.reset(code)
        case .streamClosed(let id): streams[id]?.received(ByteBuffer(), fin: true)
        case .closed(let error):
            end = error
            lastCertificates = handle.peerCertificates
        default: break
        }
        check?()
    }

    func connectionReceived(_ handle: QUICConnectionHandle) {
        check?()
    }
}
