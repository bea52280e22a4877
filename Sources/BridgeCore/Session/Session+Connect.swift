import MQTTCodec
import NIOCore

// From CONNECT to CONNACK: who the device is, who the broker will think it is, and what the broker answered.
extension Session {
    mutating func received(connect frame: Frame) -> [SessionAction] {
        guard frame.type == .connect else { return end(.deviceViolation(.firstPacketNotConnect)) }
        do {
            return admit(try Connect.decode(frame), original: frame.bytes, isOdd: false)
        } catch {
            if let connect = try? Connect.decode(frame, isLenient: true) {
                return admit(connect, original: frame.bytes, isOdd: true)
            }
            return receivedUnreadable(frame, error)
        }
    }

    /// A CONNECT that can't be read goes to the broker, unless the operator has rules that need to know who the device
    /// is or where its will goes.
    private mutating func receivedUnreadable(_ frame: Frame, _ error: MQTTError) -> [SessionAction] {
        if let guess = ForeignProtocol.guess(frame.bytes) { return end(.notMQTT(guess)) }
        if let overLimit = context.overLimit { return end(.overLimit(overLimit)) }
        guard !context.hasRules else { return refuseUnreadable(error) }
        return passUnread(connect: frame, error)
    }

    /// - Parameter isOdd: The CONNECT is not as the specification has it. It goes to the broker as it came, except for
    ///   what a rule of the operator changes in it.
    private mutating func admit(_ original: Connect, original bytes: ByteBuffer, isOdd: Bool) -> [SessionAction] {
        var facts = DeviceFacts(original)
        let version = facts.version
        if let overLimit = context.overLimit {
            return refuse(facts, .overLimit(overLimit), code: ReasonCode.quotaExceeded.connackCode(version))
        }
        var connect: Connect
        let (isMapped, assignedClientID): (Bool, String?)
        do {
            (connect, isMapped, assignedClientID) = try context.identified(original)
        } catch {
            return refuse(facts, .notAllowed(error.message), code: error.code.connackCode(version))
        }
        // A device without a client id learns the one that a bundle or a template gave it [MQTT-3.2.2-16].
        let isNamed = original.clientID.isEmpty && !connect.clientID.isEmpty
        facts.assignedClientID = assignedClientID ?? (isNamed ? connect.clientID : nil)
        let routes: ResolvedRoutes
        do {
            routes = try context.resolvedRoutes(for: connect)
        } catch {
            return refuse(facts, .notAllowed("\(error)"), code: ReasonCode.notAuthorized.connackCode(version))
        }
        var router = PacketRouter(routes: routes, version: version, isLenient: true)
        if let refusal = router.rewriteConnect(&connect) {
            return refuse(facts, .notAllowed(refusal.message), code: refusal.code)
        }
        facts.hasWill = connect.will != nil
        do {
            let mayBeHeld = context.hold != nil && connect.mayBeRepeated
            if !isOdd, mayBeHeld, let hold = context.hold {
                facts.hasBorrowedExpiry = connect.borrowExpiry(hold.configuration.time)
            }
            let outgoing = isMapped || connect != original ? try connect.encode() : bytes
            let repeated = mayBeHeld ? try connect.repeated(after: outgoing, isOdd: isOdd) : nil
            // If the broker has to choose the client id, no other session has it.
            state = .connecting(
                Connecting(
                    facts: facts, connect: outgoing, isClientIDFree: connect.clientID.isEmpty, router: router,
                    repeated: repeated, retainedWill: connect.will.flatMap { $0.retain ? $0.topic : nil }))
        } catch {
            // A template or a route made a field longer than MQTT can express.
            return refuse(facts, .notAllowed("\(error)"), code: error.reasonCode.connackCode(version))
        }
        let isRenamed = isMapped || connect.clientID != original.clientID
        return [
            .stop(.connectPacket), .identified(SessionIdentity(connect, original: isRenamed ? original : nil)),
            .start(.uplinkConnect, after: context.connectTimeout),
            .openUplink(keepAlive: facts.keepAliveDuration),
        ] + (connect.clientID.isEmpty ? [] : [.takeClientID(connect.clientID)])
    }
}

// MARK: - One after the other

extension Session {
    /// How long the end of an earlier session may take before its successor continues without waiting.
    private static let predecessorPatience = Duration.seconds(1)

    package mutating func clientIDTaken(_ wait: ClientIDWait) -> [SessionAction] {
        guard case .connecting = state else { return [] }
        return switch wait {
        case .none: clientIDIsFree()
        case .brief: [.start(.predecessor, after: Self.predecessorPatience)]
        // The earlier session's fate is known within `connect_timeout`, or neither of them can reach the broker.
        case .untilOver: []
        }
    }

    package var isSessionBorrowed: Bool {
        switch state {
        case .connecting(let connecting): connecting.facts.hasBorrowedExpiry
        case .connected: device?.facts.hasBorrowedExpiry ?? false
        case .awaitingConnect, .unread, .reclaimingWill, .finishing, .ended: false
        }
    }

    /// Without the bridge the earlier session would have ended with its connection. So this one begins with Clean
    /// Start, although the device did not ask for that. 3.1.1 has no way to say so without giving up the new session as
    /// well.
    package mutating func findsNoSession() {
        guard case .connecting(var connecting) = state, connecting.facts.version == .v5_0 else { return }
        guard var connect = connecting.connect, let frame = try? Frame(packet: connect, version: nil) else { return }
        // The flags stand behind the protocol's name and version (MQTT 5 3.1.2.3).
        let index = connect.readerIndex + frame.headerLength + 7
        guard let flags = connect.getInteger(at: index, as: UInt8.self) else { return }
        connect.setInteger(flags | 0b10, at: index)
        connecting.connect = connect
        state = .connecting(connecting)
    }

    package mutating func clientIDIsFree() -> [SessionAction] {
        guard case .connecting(var connecting) = state, !connecting.isClientIDFree else { return [] }
        connecting.isClientIDFree = true
        return [.stop(.predecessor)] + sendConnect(connecting)
    }

    /// Sends CONNECT, now or when what is missing has come.
    mutating func sendConnect(_ connecting: Connecting) -> [SessionAction] {
        var connecting = connecting
        let isDue = connecting.isUplinkReady && connecting.isClientIDFree
        let connect = isDue ? connecting.connect : nil
        if isDue { connecting.connect = nil }
        state = .connecting(connecting)
        return connect.map { [.sendToUplink($0)] } ?? []
    }

    /// The device is back on another connection, or another device has come with its client id, so nothing needs what
    /// is held for it. The broker is told nothing, so that the newcomer finds the session as it is.
    package mutating func takenOver(byContinuation: Bool) -> [SessionAction] {
        end(.takenOver)
    }
}

// MARK: - The broker's answer

extension Session {
    mutating func uplinkSent(_ frame: Frame, while connecting: Connecting) -> [SessionAction] {
        switch frame.type {
        case .connack:
            do {
                let connack = try Connack.decode(frame, version: connecting.facts.version)
                return connack.code == 0
                    ? try accepted(connack, frame, connecting)
                    : end(Ending(.refusedByBroker(code: connack.code), toDevice: frame.bytes))
            } catch {
                return end(.brokerViolation(error), uplink: .useless)
            }
        case .auth where connecting.facts.version == .v5_0:
            var connecting = connecting
            connecting.isAuthenticating = true
            state = .connecting(connecting)
            return [.sendToDevice(frame.bytes)]
        case .disconnect where connecting.facts.version == .v5_0:
            // Devices do not understand a DISCONNECT before CONNACK.
            let code = (try? Disconnect.decode(frame, version: .v5_0))?.reasonCode ?? 0
            return end(.brokerDisconnected(code: code), uplink: .useless)
        default:
            return end(.brokerViolation(.packetBeforeConnack(frame.type)), uplink: .useless)
        }
    }

    private mutating func accepted(
        _ original: Connack, _ frame: Frame, _ connecting: Connecting
    ) throws(MQTTError) -> [SessionAction] {
        let facts = connecting.facts
        var device = ConnectedDevice(facts, connecting.router)
        device.mayConnectAgain = !context.hasRules
        var connack = original
        var keepAlive = facts.keepAlive
        var idleLimit = Duration.patience(keepAlive: keepAlive)
        if facts.version == .v5_0 {
            if let counted = connack.properties.serverKeepAlive {
                (keepAlive, idleLimit) =
                    facts.keepsWillBack
                    ? Connect.keepAlive(before: counted) : (counted, .patience(keepAlive: counted))
                if keepAlive != counted { connack.properties.serverKeepAlive = keepAlive }
            }
            device.router.brokerAliasMaximum = connack.properties.topicAliasMaximum ?? 0
            if let assigned = facts.assignedClientID { connack.properties.assignedClientIdentifier = assigned }
            // The device asked for no session expiry, so it must see what it would have seen without the bridge.
            if facts.hasBorrowedExpiry { connack.properties.sessionExpiryInterval = nil }
        }
        guard let outgoing = try fitting(connack, original, frame, facts, device.router.routes) else {
            return end(.notAllowed("the device's Maximum Packet Size leaves no room for a CONNACK"))
        }
        device.hold = try hold(after: original, connecting, keepAlive: keepAlive)
        let assigned = original.properties.assignedClientIdentifier.map { [SessionAction.takeClientID($0)] } ?? []
        let first = device.noting([]) + (device.hold?.strayConnectTimer ?? [])
        let actions = letIn(device, outgoing, idleLimit: idleLimit, naming: assigned)
        return first.isEmpty ? actions : first + actions
    }

    /// The CONNACK for the device, with the limit on its packets if that fits. `nil` if what the bridge has to add
    /// makes it longer than the device accepts.
    private func fitting(
        _ connack: Connack, _ original: Connack, _ frame: Frame, _ facts: DeviceFacts, _ routes: ResolvedRoutes
    ) throws(MQTTError) -> ByteBuffer? {
        let limit = facts.version == .v5_0 ? toldPacketSize(connack.properties.maximumPacketSize, routes) : nil
        if let limit, limit < connack.properties.maximumPacketSize ?? .max {
            var told = connack
            told.properties.maximumPacketSize = limit
            let bytes = try told.encode(version: facts.version)
            if facts.takes(bytes.readableBytes) { return bytes }
        }
        guard connack != original else { return frame.bytes }
        return try connack.encoded(facts.version, within: facts.maximumPacketSize)
    }

    /// The lower one of the bridge's limit, which counts before routes, and the broker's, which counts behind them.
    private func toldPacketSize(_ brokers: UInt32?, _ routes: ResolvedRoutes) -> UInt32? {
        let left = brokers.map { PacketSizeLimit.told($0, leaving: routes.mostAddedUp) }
        return [left, context.toldPacketSize].compactMap { $0 }.min()
    }

    /// What the session needs to outlive its leg; `nil` if it can't.
    private func hold(
        after connack: Connack, _ connecting: Connecting, keepAlive: UInt16
    ) throws(MQTTError) -> Hold? {
        guard let policy = context.hold, var repeated = connecting.repeated else { return nil }
        if let assigned = connack.properties.assignedClientIdentifier {
            var connect = try Connect.decode(Frame(packet: repeated, version: nil), isLenient: true)
            connect.clientID = assigned
            repeated = try connect.encode()
        }
        var told = LegLimits(connack)
        told.maximumPacketSize = min(context.maximumPacketSize, told.maximumPacketSize ?? .max)
        var hold = Hold(
            journal: Journal(
                policy, version: connecting.facts.version, told: told, retainedWill: connecting.retainedWill))
        hold.connect = [UInt8](repeated.readableBytesView)
        hold.keepAlive = keepAlive
        hold.hasEarlierSession = connack.sessionPresent
        if connecting.hasStrayConnect { hold.giveUpConnect() }
        return hold
    }
}

extension Connect {
    /// Whether the bridge may repeat this CONNECT. It may not with enhanced authentication, in which it can't answer in
    /// the device's place.
    fileprivate var mayBeRepeated: Bool {
        properties.authenticationMethod == nil
            && !properties.hasUnread(.authenticationMethod, .sessionExpiryInterval)
    }

    /// CONNECT for another leg, after this one went out on the first. An odd CONNECT is repeated as it is, or not at
    /// all (`nil`) if it would have to be changed.
    fileprivate func repeated(after sent: ByteBuffer, isOdd: Bool) throws(MQTTError) -> ByteBuffer? {
        guard isOdd else { return try repeated.encode() }
        return version.hasProperties ? try? repeated.encode() : sent
    }

    /// Has the broker keep the session of a device that asked for none (5.0) for as long as the device may be held, and
    /// not publish its will meanwhile. The device's own Will Delay does not count: its session would have ended with
    /// its connection, so its will would have been due then (MQTT 5 3.1.3.2.2).
    ///
    /// - Returns: whether that was needed.
    fileprivate mutating func borrowExpiry(_ time: Duration) -> Bool {
        guard version.hasProperties, properties.sessionExpiryInterval ?? 0 == 0 else { return false }
        let seconds = UInt32(clamping: max(1, time.components.seconds))
        properties.sessionExpiryInterval = seconds
        guard let will else { return true }
        self.will?.properties.willDelayInterval = max(seconds, will.properties.willDelayInterval ?? 0)
        // If the broker ended the session of a silent device before the bridge does, it would keep the will back, and
        // the bridge could not tell that the session was not taken over.
        if keepAlive > 0 { keepAlive = UInt16(clamping: Int(keepAlive) + Self.headStart) }
        return true
    }

    /// How much longer than the device's keepalive that is of which the broker knows, in seconds. The broker's patience is
    /// 1.5 times as much longer: enough for the way to the broker, and for one that counts in whole seconds.
    private static let headStart = 2

    /// From this keepalive on, in seconds, the bridge may wait `headStart` less than the broker without the device being told:
    /// it still waits at least a quarter longer than the device may be silent.
    private static let leastUnchanged = 12

    /// What a device is told whose silence the bridge has to notice before a broker that counts `byBroker` seconds itself,
    /// because it has set that keepalive for both, and for how long that device may be silent. 0 means no keepalive.
    fileprivate static func keepAlive(before byBroker: UInt16) -> (told: UInt16, idleLimit: Duration?) {
        guard byBroker != 0 else { return (0, nil) }
        let ahead = UInt16(max(1, Int(byBroker) - headStart))
        return (byBroker < leastUnchanged ? ahead : byBroker, .patience(keepAlive: ahead))
    }
}

extension Connect {
    /// CONNECT as it is repeated on another leg, where the session of the first one continues. 3.1 and 3.1.1 keep their
    /// flag, which decides about both. The broker is offered no topic aliases any more: the bridge may answer what the
    /// broker sends again without passing it on, and then the device would miss the topic in it.
    fileprivate var repeated: Connect {
        var connect = self
        if version.hasProperties { connect.cleanStart = false }
        connect.properties.topicAliasMaximum = nil
        return connect
    }
}
