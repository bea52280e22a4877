import MQTTCodec
import NIOCore

/// A device: it publishes, receives its commands, and does what devices do to their connections.
///
/// ```
///   away ── its time has come ──▶ connecting ── CONNACK ──▶ online ── act ──▶ leaving, silent
///    ▲                                │                        │                   │
///    └──────────── the connection has ended ◀──────────────────┴───────────────────┘
/// ```
final class Device: WireOwner {
    private enum State: Equatable {
        case away(until: Double)
        case connecting(since: Double)
        case online
        /// DISCONNECT has been sent, or a reset.
        case leaving(LifeLedger.Ending, since: Double, away: Double)
        /// It neither sends nor answers, until the other side closes.
        case silent(since: Double, away: Double)
    }

    let number: Int
    let kind: DeviceKind
    let accounts: Accounts
    private let dialer: Dialer
    private var state: State
    private(set) var wire: Wire?
    var session = ClientState()
    /// Whether the broker has a session of this device.
    private var hasSession = false
    /// Whether its subscription has been confirmed.
    private(set) var isSubscribed = false
    /// The number of the present or last connection.
    private(set) var life = 0
    var sequences: [StreamID.Purpose: Int] = [:]
    var turn = 0
    var nextPublish: Double
    private var readsAgain: Double?
    /// When something has come from the other side.
    private var heard = 0.0
    /// Whether it was connected and reading at the last look.
    private var wasIdle = false
    /// What the other side has said before it closed the connection.
    private var farewell = ""

    /// How long a silent device may stay connected: 1.5 times its keepalive and some time to spare, in seconds.
    private static let patience = 60.0

    init(number: Int, accounts: Accounts, dialer: Dialer, connectsAt: Double) {
        self.number = number
        kind = DeviceKind(number: number)
        self.accounts = accounts
        self.dialer = dialer
        state = .away(until: connectsAt)
        nextPublish = Self.firstPublish(after: connectsAt)
    }

    var isOnline: Bool { state == .online }

    /// Whether it can be asked to do something.
    var isIdle: Bool { isOnline && readsAgain == nil }

    private var version: MQTTVersion { kind.isVersion5 ? .v5_0 : .v3_1_1 }

    // MARK: Time

    /// - Parameter isPublishing: whether new messages are made.
    func tick(at now: Double, isPublishing: Bool) {
        defer {
            if isIdle != wasIdle {
                wasIdle = isIdle
                accounts.messages.setAvailable(number, isIdle, at: now)
            }
        }
        switch state {
        case .away(let until):
            if now >= until { connect(at: now) }
        case .connecting(let since):
            if now > since + LifeLedger.patience { wire?.close() ?? lost(.refused, away: 1, at: now) }
        case .online:
            if let time = readsAgain, now >= time { readAgain() }
            if isPublishing, now >= nextPublish { publish(at: now) }
            if let wire { keepAlive(wire, at: now) }
            wire?.flush()
        case .leaving(_, let since, _):
            if now > since + 10 { wire?.close() }
        case .silent(let since, _):
            if now > since + Self.patience { giveUpSilence(since: since, at: now) }
        }
    }

    /// Pings if nothing has come for a while, and gives up a connection that does not answer.
    private func keepAlive(_ wire: Wire, at now: Double) {
        let interval = Double(DeviceKind.keepAlive)
        let quiet = now - min(wire.lastWrite, readsAgain == nil ? wire.lastRead : now)
        if quiet > interval * 0.7, now - wire.lastPing > interval * 0.5 {
            wire.lastPing = now
            send(.pingreq, at: now)
        }
        guard readsAgain == nil, now - wire.lastRead > interval * 2 else { return }
        self.wire = nil
        wire.reset()
        lost(.closed, away: 0.5, at: now, "nothing has come for \(Int(now - wire.lastRead)) s")
    }

    // MARK: Connecting

    private func connect(at now: Double) {
        state = .connecting(since: now)
        dialer.connect(self, version: version) { [self] wire in
            guard let wire else { return lost(.refused, away: Double.random(in: 0.5...1.5), at: accounts.now) }
            begin(on: wire)
        }
    }

    private func begin(on wire: Wire) {
        life += 1
        self.wire = wire
        farewell = ""
        accounts.lives.connecting(number, life, at: accounts.now)
        send(.connect(connectPacket), at: accounts.now)
        wire.flush()
    }

    private var connectPacket: Connect {
        let will = Message(StreamID(device: number, purpose: .will), life)
        var connect = Connect(
            version: version, cleanStart: !kind.isPersistent, keepAlive: UInt16(DeviceKind.keepAlive),
            clientID: "device-\(number)",
            will: Will(topic: will.topic, payload: will.payload, qos: .atLeastOnce, retain: true))
        if kind.isVersion5 {
            if kind.isPersistent { connect.properties = [.sessionExpiryInterval(7200)] }
            if kind.willDelay > 0 { connect.will?.properties = [.willDelayInterval(UInt32(kind.willDelay))] }
        }
        return connect
    }

    private func accepted(_ connack: Connack, at now: Double) {
        guard connack.code == 0 else { return wire?.close() ?? () }
        state = .online
        heard = now
        accounts.lives.began(number, life, at: now)
        if hasSession, kind.isPersistent, !connack.sessionPresent {
            accounts.fault(.sessionLost, device: number, at: now)
        }
        if !kind.isPersistent, connack.sessionPresent {
            accounts.fault(.protocolError, device: number, at: now, "a session was resumed that is to be a new one")
        }
        hasSession = true
        session.receiveMaximum = Int(connack.properties.receiveMaximum ?? .max)
        let (outputs, abandoned) = session.connected(isResumed: connack.sessionPresent)
        for message in abandoned { accounts.messages.abandoned(message.stream, message.sequence) }
        if kind.isPersistent {
            let filter = Message.topic(StreamID(device: number, purpose: .down1))
            let subscription = Subscription(filter: filter, qos: .exactlyOnce)
            send(.subscribe(Subscribe(packetID: .max, subscriptions: [subscription])), at: now)
        }
        for output in outputs { perform(output, at: now) }
        session.enqueue(Message(StreamID(device: number, purpose: .online), life))
        sendQueued(at: now)
        wire?.flush()
    }

    // MARK: Ending

    func closed(_ wire: Wire, _ reason: String?) {
        guard wire === self.wire else { return }
        let now = accounts.now
        if let reason { accounts.fault(.protocolError, device: number, at: now, reason) }
        self.wire = nil
        let soon = Double.random(in: 0.3...1.5)
        switch state {
        case .away: break
        case .connecting: lost(.refused, away: soon, at: now)
        case .online: lost(.closed, away: soon, at: now, farewell)
        case .leaving(let ending, _, let away): lost(ending, away: away, at: now)
        case .silent(_, let away): lost(.silent, away: away, at: now)
        }
    }

    private func lost(_ ending: LifeLedger.Ending, away: Double, at now: Double, _ detail: String = "") {
        wire = nil
        readsAgain = nil
        state = .away(until: now + away)
        if ending == .refused { accounts.lives.refused(number, life, at: now, accounts.troubles) }
        accounts.lives.ended(number, life, ending, heard: heard, at: now, accounts.troubles, detail)
        if ending != .disconnect { accounts.messages.connectionLost(ofDevice: number, heard: heard) }
    }

    // MARK: Acts

    func perform(_ act: Act, at now: Double) {
        switch act {
        case .sayGoodbye(let away):
            send(.disconnect(Disconnect()), at: now)
            wire?.flush()
            state = .leaving(.disconnect, since: now, away: away)
        case .reset(let away):
            state = .leaving(.vanished, since: now, away: away)
            wire?.reset()
        case .fallSilent(let away):
            // The broker may tell others before this device sees its connection end.
            accounts.lives.ended(number, life, .silent, at: now, accounts.troubles)
            state = .silent(since: now, away: away)
        case .connectTwice:
            takeOver(at: now)
        case .readSlowly(let seconds):
            readsAgain = now + seconds
            wire?.setReading(false)
        }
    }

    /// The device has forgotten that it is connected. The broker ends the older connection.
    private func takeOver(at now: Double) {
        dialer.connect(self, version: version) { [self] wire in
            guard let wire else { return }
            let now = accounts.now
            guard state == .online else { return wire.reset() }
            accounts.lives.ended(number, life, .takenOver, at: now, accounts.troubles)
            accounts.messages.connectionLost(ofDevice: number, heard: now)
            state = .connecting(since: now)
            begin(on: wire)
        }
    }

    private func readAgain() {
        readsAgain = nil
        wire?.lastRead = accounts.now
        wire?.setReading(true)
    }

    // MARK: Receiving

    func received(_ packet: Packet, on wire: Wire) {
        guard wire === self.wire else { return }
        let now = accounts.now
        wire.lastRead = now
        heard = now
        if case .silent = state { return }
        switch packet {
        case .connack(let connack): accepted(connack, at: now)
        case .suback(let suback):
            isSubscribed = suback.codes.allSatisfy { $0 < 0x80 }
            if !isSubscribed { accounts.fault(.protocolError, device: number, at: now, "SUBACK \(suback.codes)") }
        case .publish(let head, let payload): received(head, payload, at: now)
        case .puback(let ack), .pubcomp(let ack): finished(ack, at: now)
        case .pubrec(let ack):
            if ack.reasonCode >= 0x80 { return finished(ack, at: now) }
            perform(session.recorded(ack.packetID), at: now)
        case .pubrel(let ack):
            session.released(ack.packetID)
            send(.pubcomp(PublishAck(packetID: ack.packetID)), at: now)
        case .disconnect(let disconnect): farewell = "\(disconnect)"
        case .pingresp: break
        case .connect, .subscribe, .unsubscribe, .unsuback, .pingreq, .auth:
            accounts.fault(.protocolError, device: number, at: now, "\(packet)")
        }
    }

    private func finished(_ ack: PublishAck, at now: Double) {
        guard let message = session.finished(ack.packetID) else { return unexpected(ack, at: now) }
        if ack.reasonCode >= 0x80 {
            accounts.fault(.unacknowledged, device: number, at: now, "reason code \(ack.reasonCode)")
        } else {
            accounts.messages.acknowledged(message.stream, message.sequence, at: now)
        }
        sendQueued(at: now)
    }

    private func received(_ head: PublishHead, _ payload: ByteBuffer, at now: Double) {
        guard let packetID = head.packetID else {
            return accounts.fault(.unknown, device: number, at: now, "a message with QoS 0 in \(head.topic)")
        }
        let isNew: Bool
        if head.qos == .exactlyOnce {
            isNew = session.received(packetID)
            send(.pubrec(PublishAck(packetID: packetID)), at: now)
        } else {
            isNew = true
            send(.puback(PublishAck(packetID: packetID)), at: now)
        }
        guard let message = Message(payload: payload), message.stream.device == number, message.isCarried(by: head)
        else {
            return accounts.fault(.unknown, device: number, at: now, "a message of \(head.topic)")
        }
        if isNew {
            accounts.messages.arrived(
                message.stream, message.sequence,
                .init(isMarked: head.isDuplicate, packetID: packetID, connection: life), at: now, accounts.troubles)
        }
    }
}
