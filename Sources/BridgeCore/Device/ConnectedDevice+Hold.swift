import MQTTCodec

// How a device outlives its uplink leg.
extension ConnectedDevice {
    /// The leg's path is silent.
    mutating func suspend() -> [SessionAction] {
        guard hold?.phase == .up else { return [] }
        return (hold?.suspend() ?? []) + answerPings()
    }

    /// The leg's path answers again; `silence` is how long the broker has heard nothing. The broker does not time out a
    /// device in a session of the gateway, because the gateway's keepalive concerns only its control stream.
    mutating func resume(after silence: Duration) -> [SessionAction] {
        guard let hold, hold.phase == .suspended else { return [] }
        if let patience = hold.brokerPatience, silence >= patience { return loseBrokersPatience() }
        let step = self.hold?.resume(after: silence) ?? Ledger.Step()
        do throws(MQTTError) {
            return try [.stop(.hold), .stop(.brokerPatience)] + hold.strayConnectTimer + perform(step)
                + [.note(.resumed(.sameLeg))]
        } catch {
            return end(Ending(.brokerViolation(error), uplink: .useless))
        }
    }

    private mutating func loseBrokersPatience() -> [SessionAction] {
        lose("the broker has not heard the device for 1.5 times its keepalive", leg: .open)
    }

    /// Why the session could not continue on another leg; `nil` if it could, or if it never does.
    private var obstacle: HoldObstacle? {
        hold.flatMap { $0.journal.obstacle ?? (down.isInsidePacket ? .receiving : nil) }
    }

    /// The leg is useless, and its end was no decision about the device. So another leg is asked for, or the session
    /// ends because it could not continue on another leg.
    ///
    /// - Parameter isBusy: Whether the broker said that it is busy.
    mutating func lose(_ why: String, leg: UplinkRemains, isBusy: Bool = false) -> [SessionAction] {
        let obstacle = obstacle
        guard let hold, obstacle == nil else {
            return end(Ending(hasLeft ? .deviceDisconnected : .uplinkLost(why, obstacle), uplink: leg))
        }
        let close: [SessionAction] = leg == .gone ? [] : [.closeUplink]
        if hold.phase == .returning {
            let delay = self.hold?.failed(why) ?? .zero
            return [.stop(.uplinkConnect)] + close + [.start(.retry, after: delay)]
        }
        let actions = close + (self.hold?.lose(why) ?? [])
        noteThrownAway()
        _ = down.end()
        let pongs = answerPings()
        // A data stream has no CONNECT that the broker could refuse: the gateway decides when to try again.
        if gateway == nil, let delay = self.hold?.pauseAfterLoss(why, isBusy: isBusy) {
            return actions + pongs + [.start(.retry, after: delay)]
        }
        return actions + pongs + [openLeg]
    }

    /// Notes the answer to a long delivery that is thrown away and that the loss of the leg has cut off. The device knows
    /// nothing of it, so only the bridge can answer when the broker repeats it.
    private mutating func noteThrownAway() {
        for reply in down.takeDeferred() {
            var nothing = Ledger.Step()
            // Only a PUBLISH can fail here.
            try? hold?.journal.send(BufferList(reply), &nothing)
        }
    }

    /// No leg could be made, and the uplink decides when to try again. CONNECT may have gone out on a leg whose
    /// connection failed before the broker was heard on it.
    mutating func legUnreachable(_ why: String) -> [SessionAction] {
        let timers: [SessionAction]
        switch hold?.phase {
        case .awaitingUplink: timers = []
        case .returning:
            timers = [.stop(.uplinkConnect)]
            hold?.giveUpConnect()
        case .up, .suspended, .backingOff, nil: return []
        }
        hold?.why = why
        hold?.phase = .awaitingUplink
        return timers + [openLeg]
    }

    /// The broker's FIN.
    mutating func legEnded() -> [SessionAction] {
        guard hold?.phase != .returning else {
            return lose("the broker closed the connection before CONNACK", leg: .useless)
        }
        guard hold?.mayBeForgotten != true else {
            return lose("the broker closed the connection after a long silence", leg: .useless)
        }
        return loseToStrayConnect(leg: .useless) ?? end(Ending(.brokerClosed, uplink: .useless))
    }

    /// The leg is gone, and nothing more can be sent on it.
    mutating func legLost(_ loss: UplinkLoss) -> [SessionAction] {
        if case .network(let description) = loss {
            if hold?.phase == .returning { hold?.giveUpConnect() }
            return lose(description, leg: .gone)
        }
        if case .closed(let description) = loss, obstacle == nil, hold?.takeUnexplainedClose() == true {
            return lose(description, leg: .gone)
        }
        if loss.mayBeTakeover, let actions = loseToStrayConnect(leg: .gone) { return actions }
        if gateway == nil, let hold, loss.mayMean(hold) { return lose(loss.description, leg: .gone) }
        return end(Ending(loss.end, uplink: .gone))
    }

    /// The broker ended the leg in the way in which it ends one whose session another one has taken. If that may have been
    /// an earlier CONNECT of this session, the leg is lost. `nil` if not.
    mutating func loseToStrayConnect(leg: UplinkRemains) -> [SessionAction]? {
        guard obstacle == nil, hold?.takeStrayConnect() == true else { return nil }
        return lose("the broker may have read an earlier CONNECT after this one", leg: leg)
    }

    /// Another leg is there, and the broker has accepted the device on it, or does not have to.
    mutating func rejoin(isSessionPresent: Bool, needsSubscriptions: Bool, _ limits: LegLimits) -> [SessionAction] {
        hold?.returned()
        let timers = hold?.strayConnectTimer ?? []
        do throws(MQTTError) {
            guard
                let (step, resent) = try hold?.journal.rejoin(
                    isSessionPresent: isSessionPresent, needsSubscriptions: needsSubscriptions, limits)
            else { return [] }
            let note = SessionReturn.newLeg(isSessionPresent: !needsSubscriptions, resent: resent)
            return try [.stop(.hold)] + timers + [.note(.resumed(note))] + perform(step)
        } catch {
            return end(.uplinkLost("\(error)"))
        }
    }

    /// Answers the device's PINGREQ packets that the broker will not answer in time.
    private mutating func answerPings() -> [SessionAction] {
        var actions: [SessionAction] = []
        for _ in 0..<(hold?.takeOpenPings() ?? 0) { actions += pong() }
        return actions
    }

    /// A timer of a connected device has run out.
    ///
    /// - Parameter detail: What else is known about why it took so long.
    mutating func timedOut(_ timer: SessionTimer, _ detail: String?) -> [SessionAction] {
        switch (timer, hold?.phase) {
        case (.keepAlive, _):
            return end(.keepAliveExpired)
        case (.hold, let phase?) where phase != .up:
            let why = hold?.why ?? ""
            return end(
                Ending(
                    .holdExpired(detail.map { "\(why); \($0)" } ?? why),
                    uplink: phase == .returning ? .open : .useless))
        case (.brokerPatience, .suspended):
            return loseBrokersPatience()
        case (.retry, .backingOff):
            hold?.phase = .awaitingUplink
            return [openLeg]
        case (.uplinkConnect, .returning):
            hold?.why = "no CONNACK came within uplink.connect_timeout"
            hold?.phase = .awaitingUplink
            hold?.giveUpConnect()
            return [.closeUplink, openLeg]
        case (.strayConnect, _):
            hold?.forgetStrayConnect()
            return []
        case (.connectPacket, _), (.uplinkConnect, _), (.goodbye, _), (.lastWords, _), (.willDelay, _), (.hold, _),
            (.brokerPatience, _), (.retry, _), (.predecessor, _):
            // The timer fired although what it waited for was already on its way.
            return []
        }
    }
}

extension UplinkLoss {
    /// The end of a session that can't be held.
    var end: SessionEnd {
        switch self {
        case .byBroker(let code?, _): .brokerDisconnected(code: code)
        case .byBroker(nil, _), .closed: .brokerClosed
        case .dataStreamRefused: .dataStreamRefused
        case .network(let description): .uplinkLost(description)
        }
    }

    /// Whether the broker ends a leg like this when another one has taken its session.
    fileprivate var mayBeTakeover: Bool {
        switch self {
        case .byBroker(let code?, _): ReasonCode(rawValue: code) == .sessionTakenOver
        case .byBroker(nil, _): true
        case .closed, .dataStreamRefused, .network: false
        }
    }

    /// Whether the broker may only have lost its patience, without deciding anything about the device.
    fileprivate func mayMean(_ hold: Hold) -> Bool {
        switch self {
        case .byBroker(let code?, _): ReasonCode(rawValue: code) == .keepAliveTimeout && hold.wasSuspended
        case .byBroker(nil, _), .closed: hold.phase == .returning || hold.mayBeForgotten
        case .dataStreamRefused: false
        case .network: true
        }
    }
}
