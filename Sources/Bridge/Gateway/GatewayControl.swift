import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import QUICTransport

/// Performs a ``GatewaySession``'s actions on the first stream of a connection, and decides nothing. The session is the
/// gateway's own MQTT session, which the data streams of the connection belong to.
final class GatewayControl {
    private let number: Int
    private let numbers: GatewayNumbers
    private let eventLoop: any EventLoop
    private let logger: Logger
    private var session: GatewaySession
    private var decoder: FrameDecoder
    private var leg: UplinkLeg?
    private weak var connection: QUICCarrier?
    private var timers: [GatewaySession.Timer: Timer] = [:]
    private var isNumberTaken = true
    private var isAwaitingStream = false

    /// The longest packets on this stream are a CONNACK or a DISCONNECT with all its properties.
    private static let maximumPacketSize = 262_144

    init(
        identity: GatewayIdentity, version: MQTTVersion, numbers: GatewayNumbers, connectTimeout: Duration,
        eventLoop: any EventLoop, logger: Logger
    ) {
        self.number = numbers.take(at: .now())
        self.numbers = numbers
        self.eventLoop = eventLoop
        self.logger = logger
        self.session = GatewaySession(
            identity: identity, number: number, version: version, connectTimeout: connectTimeout)
        self.decoder = FrameDecoder(
            maximumPacketSize: Self.maximumPacketSize, maximumBufferedSize: Self.maximumPacketSize)
        self.decoder.version = version
    }

    deinit {
        if isNumberTaken { numbers.giveBack(number, pause: .zero, at: .now()) }
    }

    /// Opens the control stream, now or as soon as the broker allows a stream. Call this once the broker is verified.
    func start(on connection: QUICCarrier) {
        guard leg == nil else { return }
        self.connection = connection
        let leg = UplinkLeg(observer: self)
        self.leg = leg
        do {
            guard try !connection.openStream(for: leg) else { return }
            // The connection calls this again when the broker allows another stream.
            self.leg = nil
            if !isAwaitingStream { perform(session.streamAwaited()) }
            isAwaitingStream = true
        } catch {
            self.leg = nil
            perform(session.lost(.network(description: "\(error)")))
        }
    }

    /// Whether the session occupies one of the connection's streams.
    var isOnStream: Bool { leg != nil }

    /// Ends the session, which is no longer needed: sends DISCONNECT, and closes the connection once the broker has
    /// seen it.
    func shutDown() {
        perform(session.shutDown())
    }

    /// Ends the session because its connection broke.
    func connectionLost(_ loss: UplinkLoss) {
        perform(session.lost(loss))
    }

    /// Releases everything after the connection has ended and the session's end has been dealt with.
    func connectionClosed() {
        timers.removeAll()
        // The leg holds the connection, which holds this object.
        leg = nil
        giveBack(pause: .zero)
    }
}

// MARK: - The control stream

extension GatewayControl: UplinkLegObserver {
    func uplinkReady(_ limits: GatewayLimits?) {
        perform(session.streamOpened())
    }

    func uplinkUnreachable(_ why: String) {
        preconditionFailure("a control stream never waits for a connection")
    }

    func uplinkReceived(_ bytes: ByteBuffer, isEnd: Bool) {
        let count = bytes.readableBytes
        do {
            decoder.append(bytes)
            while let element = try decoder.next() { perform(session.received(element)) }
            if isEnd { perform(session.streamEnded()) }
        } catch {
            perform(session.misbehaved(error))
        }
        leg?.consumed(count)
    }

    func uplinkDrained() {}

    func uplinkSilent() {}

    func uplinkAnswered(after silence: Duration) {}

    /// A control stream never waits for a connection, not even for another one.
    func uplinkSentAgain() {}

    func uplinkLost(_ loss: UplinkLoss) {
        perform(session.lost(loss))
        leg = nil
    }
}

// MARK: - Actions

extension GatewayControl {
    private func perform(_ actions: [GatewaySession.Action]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: GatewaySession.Action) {
        switch action {
        case .send(let bytes):
            leg?.send(bytes)
        case .finish:
            leg?.finish()
        case .close:
            connection?.close()
        case .start(let timer, let delay):
            let present = timers[timer] ?? Timer(on: eventLoop)
            timers[timer] = present
            present.arm(in: TimeAmount(delay)) { [weak self] in
                if let self { perform(session.timedOut(timer)) }
            }
        case .stop(let timer):
            timers[timer] = nil
        case .ready(let limits):
            log(.info, "gateway session started", ["version": "\(session.version)"])
            connection?.controlReady(limits)
        case .ended(let why):
            ended(why)
        }
    }

    private func ended(_ why: GatewayEnd) {
        let level: Logger.Level = why == .shutDown ? .info : why.needsOperator ? .error : .warning
        log(level, "gateway session ended", ["reason": "\(why)", "devices": "\(connection?.legCount ?? 0)"])
        let pause = why.minimumPause(session.version)
        giveBack(pause: pause)
        guard why != .shutDown else { return }
        connection?.controlEnded(
            UplinkConnectionEnd(why: "\(why)", isBrokerBusy: why.isBrokerBusy, pause: pause, isLogged: true))
    }

    private func giveBack(pause: Duration) {
        guard isNumberTaken else { return }
        isNumberTaken = false
        numbers.giveBack(number, pause: pause, at: .now())
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ more: Logger.Metadata) {
        let metadata: Logger.Metadata = ["client_id": "\(session.clientID)", "leg": "uplink"]
        logger.log(level: level, message, metadata: metadata.merging(more) { $1 })
    }
}
