import MQTTCodec
import NIOCore

/// What the sessions of all mappings have in common, once the device is connected and when it leaves.
protocol CoreSession: DeviceSession {
    /// Whether the broker knows only the gateway, so that nothing it says is about the device.
    static var isThroughGateway: Bool { get }

    /// The device while the session is connected, and only then. It stands beside the session's state, because every
    /// packet changes it, and what stands inside an enum has to be copied out of it and back.
    var slot: DeviceSlot { get set }
    /// What the device may still hear while its leg is open and the session is ending.
    var lastWords: LastWords? { get set }
    /// Whether the device sends no more; it may still read.
    var hasDeviceFinished: Bool { get set }

    /// The device gets its CONNACK.
    mutating func connect(_ device: ConnectedDevice)
    /// The session ends with nothing left to do on either leg.
    mutating func becomeOver()
    /// Ends the session, or what is left of it, in whatever state it is.
    mutating func end(_ ending: Ending) -> [SessionAction]
}

extension CoreSession {
    /// A copy of the connected device, for what does not happen with every packet.
    var device: ConnectedDevice? { slot.device }

    package mutating func takesDeviceInput() -> Bool {
        slot.isEmpty ? acceptsDeviceInput : slot.takesDeviceInput()
    }

    package var awaitsSharedRoom: Bool { device?.awaitsSharedRoom ?? false }

    package mutating func takesUplinkInput() -> Bool {
        slot.isEmpty ? acceptsUplinkInput : slot.takesUplinkInput()
    }

    package mutating func becomeBusy() {
        slot.becomeBusy()
    }

    package mutating func rest() {
        slot.rest()
    }

    /// For the broker it is as if the device's connection was lost, so it publishes the will.
    package mutating func removedByOperator() -> [SessionAction] {
        end(.removedByOperator)
    }

    /// Hands an event to the connected device, and ends the session if the device's ``ConnectedDevice/ending`` says so.
    mutating func change(_ change: (inout ConnectedDevice) -> [SessionAction]) -> [SessionAction] {
        guard let (actions, isOver) = slot.change(change) else { return [] }
        guard isOver, let ending = device?.ending else { return actions }
        return actions + end(ending)
    }

    mutating func end(
        _ why: SessionEnd, reasonCode: ReasonCode? = nil, uplink: UplinkRemains = .open
    ) -> [SessionAction] {
        end(Ending(why, reasonCode: reasonCode, uplink: uplink))
    }

    package mutating func deviceMisbehaved(_ error: MQTTError, start: ByteBuffer) -> [SessionAction] {
        if let guess = ForeignProtocol.guess(start) { return end(.notMQTT(guess)) }
        return end(.deviceViolation(error))
    }

    package mutating func deviceClosed() -> [SessionAction] {
        guard lastWords == nil else {
            lastWords = nil
            return [.stop(.lastWords)]
        }
        return end(.deviceVanished)
    }

    package mutating func rulesChanged(_ change: RulesChange) -> [SessionAction] {
        end(.rulesChanged(change))
    }

    package mutating func uplinkUnreachable(_ why: String) -> [SessionAction] {
        slot.isEmpty ? end(.uplinkUnreachable(why), uplink: .gone) : change { $0.legUnreachable(why) }
    }

    package mutating func uplinkMisbehaved(_ error: MQTTError) -> [SessionAction] {
        end(.brokerViolation(error), uplink: .useless)
    }

    package mutating func uplinkEnded() -> [SessionAction] {
        slot.isEmpty ? end(.brokerClosed, uplink: .useless) : change { $0.legEnded() }
    }

    package mutating func uplinkLost(_ loss: UplinkLoss) -> [SessionAction] {
        slot.isEmpty ? end(loss.end, uplink: .gone) : change { $0.legLost(loss) }
    }

    package mutating func uplinkSilent() -> [SessionAction] {
        change { $0.suspend() }
    }

    package mutating func uplinkAnswered(after silence: Duration) -> [SessionAction] {
        change { $0.resume(after: silence) }
    }

    /// The broker accepted the device, or the bridge did in its place.
    ///
    /// - Parameters:
    ///   - idleLimit: For how long the device may send nothing; `nil` if there is no limit.
    ///   - naming: The actions that take the client id, if the broker chose it.
    mutating func letIn(
        _ device: ConnectedDevice, _ connack: ByteBuffer, idleLimit: Duration?, naming: [SessionAction] = []
    ) -> [SessionAction] {
        connect(device)
        return [.stop(.uplinkConnect), .sendToDevice(connack)] + naming
            + [.connected(idleLimit: idleLimit)] + (hasDeviceFinished ? deviceFinished() : [])
    }
}

// MARK: - The end

extension CoreSession {
    /// Ends a session whose CONNECT the bridge itself does not accept.
    ///
    /// - Parameter code: The code as CONNACK carries it.
    mutating func refuse(_ facts: DeviceFacts, _ why: SessionEnd, code: UInt8) -> [SessionAction] {
        becomeOver()
        let connack = facts.refusal(code, why)
        return [.stop(.connectPacket), .ended(why)] + (connack.map { [.sendToDevice($0)] } ?? []) + [.closeDevice]
    }

    /// Refuses a CONNECT that can't be read. If its version is unknown, the answer is one that a 3.1.1 device
    /// understands ([MQTT-3.1.2-2]); otherwise it is unknown in which version the device would understand one.
    mutating func refuseUnreadable(_ error: MQTTError) -> [SessionAction] {
        let why = SessionEnd.deviceViolation(error)
        guard error.kind == .unsupportedVersion else { return end(why) }
        let code = ReasonCode.unsupportedProtocolVersion.connackCode(.v3_1_1)
        return refuse(DeviceFacts(Connect(version: .v3_1_1)), why, code: code)
    }

    /// Tells the device of the end and closes its leg, now or when the broker's last answers have come.
    ///
    /// - Parameters:
    ///   - facts: `nil` if nothing is known about the device, so that it can't be told.
    ///   - device: The device, if it is connected.
    mutating func dismiss(
        _ ending: Ending, _ facts: DeviceFacts?, _ device: ConnectedDevice? = nil
    ) -> [SessionAction] {
        let isHeld = device?.isHeld ?? false
        var actions: [SessionAction] = isHeld ? [.stop(.hold), .stop(.brokerPatience), .stop(.retry)] : []
        if let hold = device?.hold, hold.isOnProbation { actions.append(.stop(.strayConnect)) }
        guard ending.why != .deviceVanished || hasDeviceFinished else { return actions }
        var farewell = ending.toDevice
        if let device {
            farewell = farewell ?? device.farewell(ending)
            if ending.why.leavesAnswers, ending.uplink == .open, !isHeld {
                lastWords = LastWords(device, farewell: farewell)
                return actions + [.start(.lastWords, after: LastWords.patience)]
            }
        } else {
            farewell = farewell ?? facts?.refusal(ending, throughGateway: Self.isThroughGateway)
        }
        if hasDeviceFinished { actions.append(.stop(.lastWords)) }
        if let farewell { actions.append(.sendToDevice(farewell)) }
        return actions + [.closeDevice]
    }

    /// Handles a packet of the broker behind the device's last. If the broker ends the session with it, the device is
    /// told, and its connection closed.
    ///
    /// - Returns: the actions, and the device if the broker has ended the session.
    mutating func answerLastWords(
        _ element: FrameDecoder.Element
    ) -> (actions: [SessionAction], ended: ConnectedDevice?) {
        guard var words = lastWords else { return ([], nil) }
        lastWords = nil
        let answers = words.uplinkSent(element)
        guard let ending = words.device.ending else {
            lastWords = words
            return (answers, nil)
        }
        // What the device did wrong says more than that the broker is gone.
        words.farewell = ending.toDevice ?? words.farewell ?? words.device.farewell(ending)
        return (answers + words.hangUp(), words.device)
    }

    /// The broker has no more answers, or has had its time.
    mutating func hangUp() -> [SessionAction] {
        defer { lastWords = nil }
        return lastWords?.hangUp() ?? []
    }
}
