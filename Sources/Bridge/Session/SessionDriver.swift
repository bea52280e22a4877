import BridgeCore
import Logging
import MQTTCodec
import NIOCore

/// Performs a ``Session``'s actions on the device's channel and the uplink leg, and decides nothing.
///
/// Reading from the device stops while the uplink leg has more than `limits.session_buffer` bytes to send, while the
/// device does not take the answers that the session itself gives it, and while the session takes no input and that
/// many bytes wait for it.
final class SessionDriver: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a device may take to close after our last packet.
    private static let linger = TimeAmount.seconds(5)

    let host: SessionHost
    private let admission: AdmissionControl.Decision
    let listener: String
    /// The device's IP address.
    let peer: String
    /// With its port, which tells devices behind one address apart in the log.
    let peerAndPort: String
    var session: any DeviceSession
    private var deviceDecoder: FrameDecoder
    var uplinkDecoder: FrameDecoder
    private var timers: SessionTimers
    private(set) var device: DeviceLeg?
    var uplink: UplinkLeg?

    private var context: ChannelHandlerContext?
    private var keepAlive: TimeAmount?
    private var lastDeviceInput = NIODeadline.now()
    let startedAt = NIODeadline.now()
    private(set) var identity: SessionIdentity?
    /// The first bytes that came, for a hint where they are no MQTT.
    private var start = ByteBuffer()
    private(set) var hasDeviceEnded = false
    /// The device has shut its sending side down.
    private var hasDeviceFinished = false
    /// The session's end was decided.
    private(set) var hasSessionEnded = false
    private(set) var isReadHeldBack = false
    /// The uplink leg has enough to send: nothing is taken from the device until it has drained.
    var isUplinkFull = false
    /// What the leg had to send when it fell silent: the session keeps what comes now, and nothing drains, so that this
    /// holds nobody back. Nil where it is not silent.
    var undrained: Int?
    /// The device does not read what the session answers it.
    private var isDeviceFull = false
    private var isPumping = false
    /// Bytes of the broker that it has no credit for yet.
    var uncredited = 0
    var hasUplinkEnded = false
    var isPumpingUplink = false
    var claim: ClientIDClaim?
    private var isAdmitted = true

    init(
        host: SessionHost, admission: AdmissionControl.Decision, listener: ListenAddress, peer: String,
        peerAndPort: String
    ) {
        self.peerAndPort = peerAndPort
        self.host = host
        self.admission = admission
        self.listener = listener.name
        self.peer = peer
        let limits = host.configuration.limits
        self.session = host.makeSession(admission, listener: listener.name, peer: peer)
        let reading = session.reading
        self.deviceDecoder = FrameDecoder(
            maximumPacketSize: limits.packetSize, streamingThreshold: min(65_536, limits.sessionBuffer),
            maximumBufferedSize: limits.sessionBuffer, reading: reading.device)
        self.uplinkDecoder = Self.uplinkDecoder(limits, reading.uplink)
        self.timers = SessionTimers(eventLoop: host.eventLoop)
    }

    /// The broker is trusted with what MQTT can express (2.1.4): long messages pass in pieces.
    private static let protocolMaximum = 268_435_460

    private static func uplinkDecoder(_ limits: LimitsConfiguration, _ reading: Reading) -> FrameDecoder {
        FrameDecoder(
            maximumPacketSize: protocolMaximum, streamingThreshold: min(65_536, limits.sessionBuffer),
            maximumBufferedSize: limits.sessionBuffer, reading: reading)
    }

    /// SIGTERM.
    func shutDown() {
        perform(session.shutDown())
        finishIfOver()
    }
}

// MARK: - The device leg

extension SessionDriver {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        device = DeviceLeg(context: context)
        host.add(self)
        perform(session.started())
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        hasDeviceEnded = true
        isDeviceFull = false
        device?.ended()
        pump()
        finishIfOver()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastDeviceInput = .now()
        guard device?.isClosing == false, !session.isOver else { return }
        let bytes = unwrapInboundIn(data)
        if identity == nil, start.readableBytes == 0 { start = ByteBuffer(bytes: bytes.readableBytesView.prefix(8)) }
        host.statistics.bytesUp &+= UInt64(bytes.readableBytes)
        deviceDecoder.append(bytes)
        pump()
        finishIfOver()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isDeviceFull, context.channel.isWritable {
            isDeviceFull = false
            pump()
            finishIfOver()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            hasDeviceFinished = true
            pump()
            finishIfOver()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasDeviceEnded = true
        isDeviceFull = false
        pump()
        finishIfOver()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        log(.debug, "device connection failed", ["error": "\(error)"])
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        guard isReadingAllowed else {
            isReadHeldBack = true
            return
        }
        context.read()
    }

    /// A session that takes packets empties the decoder, but for the beginning of one, which has a bound of its own.
    private var isReadingAllowed: Bool {
        if isUplinkFull || isDeviceFull { return false }
        return session.acceptsDeviceInput || deviceDecoder.bufferedBytes < host.configuration.limits.sessionBuffer
    }

    private func resumeReading() {
        guard isReadHeldBack, isReadingAllowed, let context else { return }
        isReadHeldBack = false
        context.read()
    }

    /// Hands over what the device sent, as far as session and uplink take it.
    func pump() {
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        var isDrained = false
        do {
            while session.acceptsDeviceInput, !isDeviceFull, !updateUplinkFull() {
                guard let element = try deviceDecoder.next() else {
                    isDrained = true
                    break
                }
                let answersBefore = device?.sent
                perform(session.deviceSent(element))
                // What the broker sends is bounded by flow control, our own answers by this.
                // A device that is gone takes no more of them, and there is nothing to wait for.
                if !hasDeviceEnded, device?.sent != answersBefore, device?.isWritable == false { isDeviceFull = true }
            }
        } catch {
            perform(session.deviceMisbehaved(error, start: start))
        }
        // What a device sent before it closed still counts; one that sent nothing more has simply gone.
        if isDrained || deviceDecoder.bufferedBytes == 0 {
            if hasDeviceEnded {
                perform(session.deviceClosed())
            } else if hasDeviceFinished {
                hasDeviceFinished = false
                perform(session.deviceFinished())
                device?.flush()
            }
        }
        pumpUplink()
        resumeReading()
    }

    func updateUplinkFull() -> Bool {
        let limit = host.configuration.limits.sessionBuffer
        let buffered = session.isSending ? max((uplink?.bufferedBytes ?? 0) - (undrained ?? 0), 0) : 0
        isUplinkFull = isUplinkFull ? buffered > limit / 2 : buffered >= limit
        return isUplinkFull
    }
}

// MARK: - Actions

extension SessionDriver {
    func perform(_ actions: [SessionAction]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: SessionAction) {
        switch action {
        case .identified(let identity):
            self.identity = identity
            deviceDecoder.version = identity.version
            uplinkDecoder.version = identity.version
            start = ByteBuffer()
            guard let why = identity.unread else {
                return log(.debug, "device identified", ["version": "\(identity.version)"])
            }
            deviceDecoder.reading = .framesOnly
            uplinkDecoder.reading = .framesOnly
            log(.info, "CONNECT passed on unread: the broker decides about it", ["error": "\(why)"])
        case .openUplink(let keepAlive):
            closeUplink()
            uplink = host.uplink.connect(keepAlive: keepAlive, observer: self)
            // A CONNECT in the name of a device that is gone is not to come behind that of the next.
            if hasSessionEnded { setClientIDPhase(.unanswered) }
        case .sendToUplink(let bytes):
            uplink?.send(bytes)
        case .finishUplink:
            finishUplink()
        case .closeUplink:
            closeUplink()
        case .sendToDevice(let bytes):
            host.statistics.bytesDown &+= UInt64(bytes.readableBytes)
            device?.send(bytes)
        case .closeDevice:
            device?.close(linger: Self.linger)
        case .start(let timer, let delay):
            start(timer, after: TimeAmount(delay))
        case .stop(.keepAlive):
            keepAlive = nil
            host.forgetKeepAlive(of: self)
        case .stop(let timer):
            timers.stop(timer)
        case .connected(let silence):
            host.statistics.sessions += 1
            setClientIDPhase(.living)
            log(.info, "device connected", ["version": identity.map { "\($0.version)" } ?? ""])
            if let silence { enforceKeepAlive(TimeAmount(silence)) }
        case .ended(let why):
            hasSessionEnded = true
            setClientIDPhase(uplink?.isUnanswered == true ? .unanswered : .leaving)
            ended(why)
        case .authenticate(let username, let password):
            authenticate(username, password)
        case .claim(let clientID, let isCleanStart):
            claimClientID(clientID, isCleanStart: isCleanStart)
        case .takeClientID(let clientID):
            // The broker has named a device that had no name: from now on the log has it.
            if identity?.clientID.isEmpty == true { identity?.clientID = clientID }
            takeClientID(clientID)
        case .openDataStream(let version):
            closeUplink()
            uplink = host.openDataStream(version, observer: self)
        case .linger(let longest):
            deviceLeft()
            let mayWait = claim.map { host.clientIDs.linger($0) } ?? false
            start(.willDelay, after: mayWait ? TimeAmount(longest) : .zero)
        case .note(let note):
            if let phase = note.clientIDPhase { setClientIDPhase(phase) }
            log(note.isNews ? .warning : .info, "session goes on", ["note": "\(note)"])
        }
    }

    /// A leg that is back in the line has nothing under way, and nobody is left to send it again for.
    private func finishUplink() {
        guard let uplink, uplink.isWaiting else {
            self.uplink?.finish()
            return
        }
        uplink.close()
        host.eventLoop.assumeIsolated().execute { [self] in
            // The session may have closed it itself meanwhile, and asked for another.
            if self.uplink === uplink { uplinkLost(.network(description: "the broker was not heard")) }
        }
    }

    /// The broker takes an open connection over faster when it has seen the end of the one before.
    private func closeUplink() {
        uplink?.close()
        uplink = nil
        forgetUplink()
    }

    /// What came on a leg that is gone concerns nobody any more, and what it had to send holds nobody back.
    func forgetUplink() {
        isUplinkFull = false
        undrained = nil
        uncredited = 0
        hasUplinkEnded = false
        let version = uplinkDecoder.version
        uplinkDecoder = Self.uplinkDecoder(host.configuration.limits, uplinkDecoder.reading)
        uplinkDecoder.version = version
    }

    /// Without a file of users nobody has a password that is right.
    private func authenticate(_ username: String, _ password: ByteBuffer?) {
        guard let users = host.users else { return perform(session.authenticated(false)) }
        users.accepts(username, password: password, on: host.eventLoop).assumeIsolated().whenComplete { [weak self] in
            guard let self else { return }
            let isAccepted: Bool = if case .success(true) = $0 { true } else { false }
            perform(session.authenticated(isAccepted))
            device?.flush()
            finishIfOver()
        }
    }

    private func start(_ timer: SessionTimer, after delay: TimeAmount) {
        timers.start(timer, after: delay) { [self] in
            perform(session.timedOut(timer, detail: uplink?.whyNotYet))
            // A leg that was given up keeps nobody from reading any more.
            pump()
            finishIfOver()
        }
    }

    private func enforceKeepAlive(_ interval: TimeAmount) {
        keepAlive = interval
        host.watchKeepAlive(of: self, from: lastDeviceInput + interval)
    }

    /// Answers when to ask again; nil where there is no need. Every packet moves the time, so it is not moved at all but
    /// compared when it has come.
    func checkKeepAlive(at now: NIODeadline) -> NIODeadline? {
        guard let keepAlive else { return nil }
        // While nothing is read, the silence is ours and not the device's.
        if isReadHeldBack { lastDeviceInput = now }
        guard lastDeviceInput + keepAlive <= now else { return lastDeviceInput + keepAlive }
        perform(session.timedOut(.keepAlive, detail: nil))
        device?.flush()
        finishIfOver()
        return nil
    }

    /// Both legs are gone: the session's place is free. Its client id is so already when the broker's leg is.
    func finishIfOver() {
        if session.isOver { releaseClientID() }
        guard hasDeviceEnded, session.isOver, context != nil else { return }
        context = nil
        device = nil
        timers.stopAll()
        host.forgetKeepAlive(of: self)
        deviceLeft()
        host.remove(self)
    }

    private func deviceLeft() {
        guard isAdmitted else { return }
        isAdmitted = false
        host.deviceLeft(admission, peer: peer)
    }
}
