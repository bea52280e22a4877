import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// One client's QUIC connection, with the sessions on it.
///
/// With ALPN `mqtt` (the OASIS single stream mode) the connection has one session and ends with it; with `mqtt-mux`
/// there is one session per stream.
final class ServedConnection: QUICConnectionObserver {
    static let multiplexed = "mqtt-mux"
    static let single = "mqtt"

    /// How long a client with ALPN `mqtt` may leave its stream open after the session's end without acknowledging any
    /// of the bytes that are still on their way to it.
    private static let grace = TimeAmount.seconds(5)

    private let host: ServeHost
    private let handle: QUICConnectionHandle
    let peer: String
    /// The client's IP address when it connected: the one that it is counted under even if it changes later.
    let address: String
    private let room: WaitingRoom
    /// `serve.stream_buffer` when the client came. The credit that it has depends on it.
    private let streamBuffer: Int
    private var drivers: [QUICStreamID: RelayDriver] = [:]
    /// `nil` until the handshake has completed. Streams that were opened in early data come before that.
    private var alpn: String?
    private var firstStream: QUICStreamID?
    /// Whether its sessions have been told that it ends.
    private(set) var isShuttingDown = false
    /// The code with which sessions and connection end when the server ends them.
    private var parting = ServeCode.goingAway
    private var isClosed = false
    private var hasToldOfSecondStream = false
    private let timer: Timer
    /// Whether a Retry or the completed handshake has proven that the client receives at its address.
    private(set) var isAddressProven: Bool

    init(host: ServeHost, handle: QUICConnectionHandle, isAddressValidated: Bool) {
        self.host = host
        self.timer = Timer(on: host.eventLoop)
        self.handle = handle
        let remote = handle.remoteAddress.unmapped
        self.peer = remote.hostAndPort
        self.address = remote.ipAddress ?? "unknown"
        self.isAddressProven = isAddressValidated
        self.streamBuffer = host.configuration.limits.streamBuffer
        self.room = .ofConnection(streamBuffer: streamBuffer, on: host.room)
    }

    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        switch event {
        case .handshakeCompleted(let alpn): completed(alpn)
        case .streamOpened(let stream): opened(stream)
        case .streamData(let stream, let bytes, let isEnd):
            if let driver = drivers[stream] {
                driver.clientSent(bytes, isEnd: isEnd)
            } else {
                // The stream was refused.
                handle.consumed(stream, bytes: bytes.readableBytes)
            }
        case .streamReset(let stream, let code): drivers[stream]?.clientReset(code: code)
        case .stopSending(let stream, _): drivers[stream]?.clientStopped()
        case .streamDrained(let stream, _): drivers[stream]?.streamDrained()
        case .streamClosed(let stream): closed(stream)
        case .closed(let error): closed(error)
        default: break
        }
    }

    /// Ends all sessions in order and then the connection.
    func shutDown(_ code: UInt64) {
        guard !isShuttingDown, !isClosed else { return }
        isShuttingDown = true
        parting = code
        for driver in drivers.values { driver.shutDown(code) }
        closeIfDone()
    }

    /// Ends the connection now.
    func close(_ code: UInt64, _ reason: String) {
        handle.close(applicationCode: code, reason: reason)
        // QUIC reports the end only with the next flush, and nothing needs to wait for that.
        closed(.localClose(code: code, reason: reason))
    }

    // MARK: - Events

    private func completed(_ alpn: String) {
        self.alpn = alpn
        host.statistics.connections += 1
        if handle.isEarlyDataAccepted { host.statistics.earlyDataAccepted += 1 }
        if !isAddressProven {
            isAddressProven = true
            host.admission.proved()
        }
        log(.debug, "client connected", ["alpn": "\(alpn)"])
        if alpn != Self.multiplexed {
            for stream in drivers.keys where stream != firstStream { refuse(stream) }
        }
        // An `mqtt-mux` connection may be opened before its first session and outlive its last one. The number of such
        // connections is limited by `serve.connections` and `serve.connections_per_address`, and `serve.idle_timeout`
        // ends those whose client is gone.
        guard firstStream == nil, alpn == Self.single else { return }
        close(after: TimeAmount(host.configuration.limits.connectWithin), "the client opened no stream in time")
    }

    private func opened(_ stream: QUICStreamID) {
        host.statistics.streams += 1
        guard !isShuttingDown else { return handle.reset(stream, code: parting) }
        guard firstStream == nil || alpn != Self.single else {
            tellOfSecondStream()
            return handle.reset(stream, code: ServeCode.none)
        }
        if firstStream == nil {
            firstStream = stream
            timer.cancel()
        }
        let driver = RelayDriver(
            host: host, handle: handle, stream: stream, peer: peer, room: room, streamBuffer: streamBuffer
        ) { [weak self] in self?.sessionIsOver(on: stream) }
        drivers[stream] = driver
        driver.start()
    }

    /// Refuses a second stream that ALPN `mqtt` does not allow.
    private func refuse(_ stream: QUICStreamID) {
        drivers.removeValue(forKey: stream)?.connectionLost("this was a second stream on a connection with ALPN mqtt")
        tellOfSecondStream()
        handle.reset(stream, code: ServeCode.none)
    }

    /// Says it once, because a client that takes this for a broker with data streams opens many.
    private func tellOfSecondStream() {
        guard !hasToldOfSecondStream else { return }
        hasToldOfSecondStream = true
        let why = "serve has no data streams; a bridge needs uplink.mapping mux here, or auto, instead of data-stream"
        log(.warning, "second stream of a client refused", ["reason": "ALPN \(Self.single) allows one: \(why)"])
    }

    private func sessionIsOver(on stream: QUICStreamID, unacknowledged: Int = .max) {
        guard alpn == Self.single, !isShuttingDown, !isClosed else { return }
        timer.arm(in: Self.grace) { [weak self] in
            guard let self else { return }
            let left = handle.bufferedBytes(stream)
            guard left > 0, left < unacknowledged else {
                let code = ServeCode.ofConnection(afterReset: drivers[stream]?.resetCode)
                return close(code, "the session is over")
            }
            sessionIsOver(on: stream, unacknowledged: left)
        }
    }

    private func closed(_ stream: QUICStreamID) {
        drivers.removeValue(forKey: stream)?.streamClosed()
        if isShuttingDown {
            closeIfDone()
        } else if alpn == Self.single, stream == firstStream {
            close(ServeCode.none, "")
        }
    }

    private func closeIfDone() {
        if drivers.isEmpty { close(parting, "server shutting down") }
    }

    private func close(after delay: TimeAmount, _ reason: String) {
        timer.arm(in: delay) { [weak self] in
            self?.close(ServeCode.none, reason)
        }
    }

    private func closed(_ error: QUICError) {
        isClosed = true
        timer.cancel()
        guard host.remove(self) else { return }
        if alpn == nil {
            host.statistics.failedHandshakes += 1
            host.statistics.handshakeFailures[ClientHandshakeFailure(error), default: 0] += 1
        }
        log(.debug, "client connection ended", ["reason": "\(error)"])
        let lost = drivers.values
        drivers.removeAll()
        for driver in lost { driver.connectionLost("\(error)") }
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ more: Logger.Metadata) {
        host.logger.log(
            level: level, message, metadata: ["peer": "\(peer)", "leg": "client"].merging(more) { $1 })
    }
}
