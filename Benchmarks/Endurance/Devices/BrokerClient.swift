import MQTTCodec
import NIOCore

/// A client at the broker itself, with a session that outlasts its connections: it observes what devices publish, and
/// sends them commands.
final class BrokerClient: WireOwner {
    private let name: String
    private let filters: [String]
    private let accounts: Accounts
    private let dialer: Dialer
    private var wire: Wire?
    private var session = ClientState()
    private var hasSession = false
    private var connections = 0
    private var dialsAt: Double?
    private(set) var isReady = false
    private var sequences: [StreamID: Int] = [:]

    /// Messages that may wait for the broker; commands are left out beyond that.
    private static let limit = 5000

    init(_ name: String, filters: [String], accounts: Accounts, dialer: Dialer) {
        self.name = name
        self.filters = filters
        self.accounts = accounts
        self.dialer = dialer
        dialsAt = 0
    }

    /// How many commands the broker has not acknowledged.
    var pending: Int { session.count }

    func tick(at now: Double) {
        if let time = dialsAt, now >= time {
            dialsAt = nil
            dialer.connect(self, version: .v3_1_1) { [self] wire in
                guard let wire else {
                    dialsAt = accounts.now + 0.2
                    return
                }
                self.wire = wire
                let connect = Connect(version: .v3_1_1, cleanStart: false, keepAlive: 30, clientID: name)
                wire.send(.connect(connect), at: accounts.now)
                wire.flush()
            }
        }
        guard isReady, let wire else { return }
        if now > wire.lastWrite + 15 { wire.send(.pingreq, at: now) }
        wire.flush()
    }

    /// Sends a command to a device.
    func command(_ device: Int, _ purpose: StreamID.Purpose, length: Int) {
        guard session.count < Self.limit else { return }
        let stream = StreamID(device: device, purpose: purpose)
        let sequence = sequences[stream, default: 0]
        sequences[stream] = sequence + 1
        session.enqueue(Message(stream, sequence, length: length))
        if isReady { sendQueued(at: accounts.now) }
    }

    private func sendQueued(at now: Double) {
        while let output = session.next() { perform(output, at: now) }
    }

    private func perform(_ output: ClientState.Output, at now: Double) {
        switch output {
        case .publish(let message, let packetID, let isDuplicate):
            if isDuplicate {
                accounts.messages.resent(message.stream, message.sequence, at: now)
            } else {
                accounts.messages.sent(message.stream, message.sequence, at: now)
            }
            wire?.send(Packet(message, packetID: packetID, isDuplicate: isDuplicate), at: now)
        case .release(let packetID):
            wire?.send(.pubrel(PublishAck(packetID: packetID)), at: now)
        }
    }

    func closed(_ wire: Wire, _ reason: String?) {
        guard wire === self.wire else { return }
        if let reason { accounts.fault(.protocolError, name, at: accounts.now, reason) }
        self.wire = nil
        isReady = false
        dialsAt = accounts.now + 0.2
    }

    func received(_ packet: Packet, on wire: Wire) {
        guard wire === self.wire else { return }
        let now = accounts.now
        switch packet {
        case .connack(let connack): accepted(connack, at: now)
        case .suback: isReady = true
        case .publish(let head, let payload): received(head, payload, at: now)
        case .puback(let ack), .pubcomp(let ack):
            if let message = session.finished(ack.packetID) {
                accounts.messages.acknowledged(message.stream, message.sequence, at: now)
                sendQueued(at: now)
            }
        case .pubrec(let ack): perform(session.recorded(ack.packetID), at: now)
        case .pubrel(let ack):
            session.released(ack.packetID)
            wire.send(.pubcomp(PublishAck(packetID: ack.packetID)), at: now)
        case .connect, .subscribe, .unsubscribe, .unsuback, .pingreq, .pingresp, .disconnect, .auth: break
        }
    }

    private func accepted(_ connack: Connack, at now: Double) {
        guard connack.code == 0 else { return wire?.close() ?? () }
        if hasSession, !connack.sessionPresent {
            accounts.fault(.sessionLost, name, at: now, "the broker has lost the session of the \(name)")
        }
        hasSession = true
        connections += 1
        let (outputs, abandoned) = session.connected(isResumed: connack.sessionPresent)
        for message in abandoned { accounts.messages.abandoned(message.stream, message.sequence) }
        if !connack.sessionPresent, !filters.isEmpty {
            let subscriptions = filters.map { Subscription(filter: $0, qos: .exactlyOnce) }
            wire?.send(.subscribe(Subscribe(packetID: .max, subscriptions: subscriptions)), at: now)
        } else {
            isReady = true
        }
        for output in outputs { perform(output, at: now) }
        sendQueued(at: now)
        wire?.flush()
    }

    private func received(_ head: PublishHead, _ payload: ByteBuffer, at now: Double) {
        var isNew = true
        if let packetID = head.packetID {
            let ack = PublishAck(packetID: packetID)
            isNew = head.qos != .exactlyOnce || session.received(packetID)
            wire?.send(head.qos == .exactlyOnce ? .pubrec(ack) : .puback(ack), at: now)
        }
        guard isNew else { return }
        guard let message = Message(payload: payload), message.isCarried(by: head) else {
            return accounts.fault(.unknown, name, at: now, "a message in \(head.topic)")
        }
        if message.stream.purpose == .will {
            if !head.isDuplicate {
                accounts.lives.willArrived(message.stream.device, message.sequence, at: now, accounts.troubles)
            }
        } else {
            if message.stream.purpose == .online {
                accounts.lives.stateArrived(message.stream.device, message.sequence)
            }
            accounts.messages.arrived(
                message.stream, message.sequence,
                .init(isMarked: head.isDuplicate, packetID: head.packetID ?? 0, connection: connections), at: now,
                accounts.troubles)
        }
    }
}
