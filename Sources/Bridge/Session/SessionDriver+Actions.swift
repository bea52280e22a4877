import BridgeCore
import Logging
import MQTTCodec
import NIOCore

// Performing what the session asks for.
extension SessionDriver {
    /// How long a device may take to close after our last packet.
    private static let linger = TimeAmount.seconds(5)

    func perform(_ actions: [SessionAction]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: SessionAction) {
        switch action {
        case .identified(let identity):
            identified(identity)
        case .openUplink(let keepAlive):
            closeUplink()
            uplinkRoom = 0
            // A CONNECT in the name of a device that is gone must not come after the CONNECT of the next one.
            guard !hasSessionEnded || setClientIDPhase(.unanswered) else {
                return perform(session.uplinkUnreachable("another session has the client id"))
            }
            uplink = host.uplink.connect(keepAlive: keepAlive, observer: self)
        case .sendToUplink(let bytes):
            sendToUplink(bytes)
        case .finishUplink:
            flushUplink()
            finishUplink()
        case .closeUplink:
            closeUplink()
        case .sendToDevice(let bytes):
            host.statistics.bytesDown &+= UInt64(bytes.readableBytes)
            meter.bytesDown &+= UInt64(bytes.readableBytes)
            device?.send(bytes)
        case .closeDevice:
            device?.close(linger: Self.linger)
        case .start(let timer, let delay):
            start(timer, after: TimeAmount(delay))
        case .stop(.keepAlive):
            idleLimit = nil
            host.forgetKeepAlive(of: self)
        case .stop(let timer):
            timers.stop(timer)
        case .connected(let idleLimit):
            host.statistics.sessions += 1
            countAccepted()
            setClientIDPhase(.living)
            // A stranger's packets take no more than the session's own buffer.
            deviceDecoder.longPackets = host.longPackets
            uplinkDecoder.longPackets = host.longPackets
            log(.info, "device connected", ["version": identity.map { "\($0.version)" } ?? ""])
            if let idleLimit { enforceKeepAlive(TimeAmount(idleLimit)) }
        case .ended(let why):
            hasSessionEnded = true
            countEnd(why)
            setClientIDPhase(uplink?.isUnanswered == true ? .unanswered : .leaving)
            ended(why)
        case .authenticate(let username, let password):
            authenticate(username, password)
        case .claim(let clientID, let isCleanStart):
            claimClientID(clientID, isCleanStart: isCleanStart)
        case .takeClientID(let clientID):
            // The broker has assigned a client id to a device without one, which is logged from now on.
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
            count(note)
            self.note(note)
        }
    }

    private func identified(_ identity: SessionIdentity) {
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
    }

    /// The device no longer counts in the limits on devices.
    func deviceLeft() {
        guard isAdmitted else { return }
        isAdmitted = false
        host.deviceLeft(admission, peer: peer)
    }

    /// Without a users file no password is right.
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
}

// MARK: - Timers

extension SessionDriver {
    private func start(_ timer: SessionTimer, after delay: TimeAmount) {
        guard timer != .goodbye else {
            return awaitGoodbye(Farewell(uplink?.bufferedBytes ?? 0, at: .now()), for: delay)
        }
        timers.start(timer, after: delay) { [self] in
            // Even a leg that was given up may let the device be read again.
            handle(session.timedOut(timer, detail: uplink?.whyNotYet))
        }
    }

    private func awaitGoodbye(_ farewell: Farewell, for delay: TimeAmount) {
        timers.start(.goodbye, after: delay) { [self] in
            var farewell = farewell
            let left = uplink?.bufferedBytes ?? 0
            guard !farewell.goesOn(left, at: .now()) else { return awaitGoodbye(farewell, for: delay) }
            if left > 0 { log(.warning, "last messages of a device did not get through", ["bytes": "\(left)"]) }
            handle(session.timedOut(.goodbye, detail: nil))
        }
    }

    private func enforceKeepAlive(_ limit: TimeAmount) {
        idleLimit = limit
        host.watchKeepAlive(of: self, from: lastDeviceInput + limit)
    }

    /// Every packet would move the device's deadline, so the deadline is not moved but compared when it has come.
    ///
    /// - Returns: when to ask again; `nil` if there is no need.
    func checkKeepAlive(at now: NIODeadline) -> NIODeadline? {
        guard let idleLimit else { return nil }
        // While nothing is read from the device, it does not count as idle.
        if isReadHeldBack { lastDeviceInput = now }
        guard lastDeviceInput + idleLimit <= now else { return lastDeviceInput + idleLimit }
        perform(session.timedOut(.keepAlive, detail: nil))
        device?.flush()
        finishIfOver()
        return nil
    }
}
