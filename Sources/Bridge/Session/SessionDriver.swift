import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import QUICTransport

/// Performs a session's actions on the device's channel and the uplink leg, and decides nothing.
///
/// Reading from the device stops while the uplink leg has more than `limits.session_buffer` bytes to send (or eight times
/// as many to send and on their way), while the device does not take the answers that the session itself gives it, and
/// while the session takes no input and that many bytes wait for it.
final class SessionDriver: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let host: SessionHost
    let admission: AdmissionControl.Decision
    let listener: String
    /// The device's IP address.
    let peer: String
    /// The same with the port, which distinguishes devices behind one address in the log.
    let peerAndPort: String
    /// `limits.session_buffer` when the device came. Its decoders have this bound too, until the broker has accepted the
    /// device: then longer packets come out of a budget for all devices.
    let sessionBuffer: Int
    /// Whether sessions outlived their uplink legs when the device came.
    let mayBeHeld: Bool
    let startedAt = NIODeadline.now()
    var meter = DeviceMeter()
    var session: any DeviceSession
    var deviceDecoder: FrameDecoder
    var uplinkDecoder: FrameDecoder
    var timers: SessionTimers
    private(set) var device: DeviceLeg?
    var uplink: UplinkLeg?
    /// The session's claim on its client id.
    var claim: ClientIDClaim?
    var identity: SessionIdentity? {
        didSet { isIdentified = identity != nil }
    }
    private(set) var isIdentified = false

    private var context: ChannelHandlerContext?
    /// How long the device may send nothing; `nil` if there is no limit.
    var idleLimit: TimeAmount?
    var lastDeviceInput = NIODeadline.now()
    /// The first bytes that came, for a hint if they are not MQTT.
    var start = ByteBuffer()
    private(set) var hasDeviceEnded = false
    /// Whether the device has shut its sending side down and the session has not been told yet.
    private var hasDeviceFinished = false
    /// Whether the session's end was decided.
    var hasSessionEnded = false
    private(set) var isReadHeldBack = false
    /// Whether the uplink leg has enough to send, so that nothing is taken from the device until it has drained.
    var isUplinkFull = false
    /// What the leg still had to send when its path fell silent; `nil` while the path is not silent. These bytes do not
    /// stop reading from the device: they can't drain, and the session keeps what comes after them.
    var undrained: Int?
    /// Whether the device does not read the session's answers.
    private var isDeviceFull = false
    private var isPumping = false
    /// How many bytes the uplink leg takes at least before it is full; 0 or less if that has to be looked at.
    var uplinkRoom = 0
    /// What goes to the uplink leg behind what it has been given.
    var upBurst = Burst()
    /// How often something has come since ``mayRest()`` was called; not counted any further than ``busyInputs``.
    var inputs: UInt8 = 0
    /// Whether the session may keep memory that only a busy one needs.
    var isBusy = false
    /// Bytes of the broker for which it has been given no new credit yet.
    var uncredited = 0
    var hasUplinkEnded = false
    var isPumpingUplink = false
    /// Whether the device still counts in the limits on devices.
    var isAdmitted = true

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
        self.sessionBuffer = limits.sessionBuffer
        self.mayBeHeld = host.holdsDevices
        self.session = host.makeSession(admission, listener: listener.name, peer: peer)
        let reading = session.reading
        self.deviceDecoder = FrameDecoder(
            maximumPacketSize: limits.packetSize, streamingThreshold: min(65_536, limits.sessionBuffer),
            maximumBufferedSize: limits.sessionBuffer, reading: reading.device)
        self.uplinkDecoder = Self.uplinkDecoder(limits.sessionBuffer, reading.uplink)
        self.timers = SessionTimers(eventLoop: host.eventLoop)
    }

    /// Tells the session that the bridge is shutting down.
    func shutDown() {
        perform(session.shutDown())
        finishIfOver()
    }

    /// The operator's rules have changed. Returns whether the session ends because of that.
    ///
    /// - Parameter isDryRun: Whether the answer is all that is wanted.
    func adopt(_ rules: SessionRules, isDryRun: Bool) -> Bool {
        guard !hasSessionEnded else { return false }
        guard let change = session.change(under: rules, of: identity) else {
            if !isDryRun { session.adopt(rules) }
            return false
        }
        if !isDryRun { handle(session.rulesChanged(change)) }
        return true
    }

    /// Performs what an event led to, hands over what the session takes because of it, and leaves if that was the end.
    func handle(_ actions: [SessionAction] = []) {
        perform(actions)
        pump()
        finishIfOver()
    }

    /// Leaves once both legs are gone. The client id is free as soon as the broker's leg is.
    func finishIfOver() {
        guard hasSessionEnded, session.isOver else { return }
        releaseClientID()
        guard hasDeviceEnded, context != nil else { return }
        context = nil
        device = nil
        timers.stopAll()
        host.forgetKeepAlive(of: self)
        deviceLeft()
        host.remove(self)
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
        device?.ended()
        deviceEnded()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastDeviceInput = .now()
        guard device?.isClosing == false, !hasSessionEnded || !session.isOver else { return }
        stir()
        let bytes = unwrapInboundIn(data)
        if !isIdentified, start.readableBytes == 0 { start = ByteBuffer(bytes: bytes.readableBytesView.prefix(8)) }
        host.statistics.bytesUp &+= UInt64(bytes.readableBytes)
        meter.bytesUp &+= UInt64(bytes.readableBytes)
        deviceDecoder.append(bytes)
        handle()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isDeviceFull, context.channel.isWritable {
            isDeviceFull = false
            handle()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            hasDeviceFinished = true
            handle()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deviceEnded()
        context.fireChannelInactive()
    }

    private func deviceEnded() {
        hasDeviceEnded = true
        isDeviceFull = false
        handle()
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

    /// A session that takes packets empties the decoder, except for the beginning of one, which has a bound of its own or
    /// is charged to the budget of long packets.
    private var isReadingAllowed: Bool {
        if isUplinkFull || isDeviceFull { return false }
        return deviceDecoder.bufferedBytes < sessionBuffer || takesDeviceInput()
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
        // Most events of the broker find nothing here.
        if !deviceDecoder.isDrained || hasDeviceEnded || hasDeviceFinished || isUplinkFull { pumpDevice() }
        pumpUplink()
        flushUplink()
        resumeReading()
    }

    private func pumpDevice() {
        var isDrained = false
        do {
            while takesDeviceInput(), !isDeviceFull, !isUplinkFullNow {
                // Gives back what the previous packet took of the budget of long packets, now that the uplink has room.
                guard let element = try deviceDecoder.next() else {
                    isDrained = true
                    break
                }
                countUp(element)
                let answersBefore = device?.sent
                perform(session.deviceSent(element))
                // What the broker sends is bounded by flow control, the session's own answers by this. A device that is
                // gone takes no more of them, so there is nothing to wait for.
                if !hasDeviceEnded, device?.sent != answersBefore, device?.isWritable == false { isDeviceFull = true }
            }
        } catch {
            perform(session.deviceMisbehaved(error, start: start))
        }
        // What a device sent before it closed still counts; a device that sent nothing more has simply gone.
        if isDrained || deviceDecoder.bufferedBytes == 0 {
            if hasDeviceEnded {
                perform(session.deviceClosed())
            } else if hasDeviceFinished {
                hasDeviceFinished = false
                perform(session.deviceFinished())
                device?.flush()
            }
        }
    }
}

// MARK: - The room of the uplink leg

extension SessionDriver {
    /// The same as ``updateUplinkFull()``. What the leg has to send only becomes less between its packets, so it is not
    /// looked at with each of them.
    private var isUplinkFullNow: Bool {
        uplinkRoom > 0 && !isUplinkFull ? false : updateUplinkFull()
    }

    /// Looks whether the uplink leg has enough to send. Between the limit and half of it, the answer stays as it was.
    func updateUplinkFull() -> Bool {
        flushUplink()
        let limit = sessionBuffer
        let buffered = session.isSending ? backlog(limit) : 0
        isUplinkFull = isUplinkFull ? buffered > limit / 2 : buffered >= limit
        uplinkRoom = isUplinkFull ? 0 : limit - buffered
        return isUplinkFull
    }

    private func backlog(_ limit: Int) -> Int {
        guard let uplink else { return 0 }
        guard let undrained else { return uplink.backlog(inFlight: QUICConfiguration.inFlight(beside: limit)) }
        return max(uplink.bufferedBytes - undrained, 0)
    }

    /// Sends bytes on the uplink leg. What the device sent in one piece goes there in one piece.
    func sendToUplink(_ bytes: ByteBuffer) {
        uplinkRoom -= bytes.readableBytes
        if let earlier = upBurst.add(bytes) { uplink?.send(earlier) }
        if !isPumping { flushUplink() }
    }

    /// Gives the uplink leg what waits for it.
    func flushUplink() {
        if let bytes = upBurst.take() { uplink?.send(bytes) }
    }
}
