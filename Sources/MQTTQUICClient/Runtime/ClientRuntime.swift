import Logging
import NIOCore
import QUICTransport

/// Carries out what the session decides: one link at a time, timers, and the application's tasks that wait. Confined
/// to its event loop.
///
/// ```
///   idle ── connect ──▶ connecting ── CONNACK ──▶ online ── disconnect ──▶ ending ──▶ idle
///    ▲                    ▲   │                     │
///    │                    │   └──────── lost ◀──────┘
///    │                    └── later ──── │
///    └────────── no other try ───────────┘
/// ```
final class ClientRuntime {
    enum Phase: Equatable {
        case idle
        case connecting(isFirst: Bool)
        case online(since: NIODeadline)
        /// The timer brings the next try.
        case pausing
        /// DISCONNECT was sent.
        case ending
    }

    typealias Continuation<Value: Sendable> = CheckedContinuation<Result<Value, MQTTClientError>, Never>

    /// The task that waits for an operation's outcome.
    enum Waiter {
        case connect(Continuation<MQTTConnectAnswer>)
        case publish(Continuation<MQTTPublishAnswer>)
        case subscribe(Continuation<[MQTTReasonCode]>)
        case unsubscribe(Continuation<[MQTTReasonCode]>)
    }

    let configuration: MQTTClientConfiguration
    let eventLoop: any EventLoop
    var logger: Logger
    let dialer: any BrokerLinkDialer
    /// A number from 0 to 1.
    let random: () -> Double

    var session: ClientSession
    var phase = Phase.idle
    var link: (any BrokerLink)?
    /// Links that are no longer used and have not ended.
    var closing: [ObjectIdentifier: any BrokerLink] = [:]
    var readers: [LinkStream: PacketReading] = [:]
    /// Bytes of the control stream that no credit was given for yet.
    var owedCredit = 0

    var waiters: [ClientOperation: Waiter] = [:]
    var endWaiters: [CheckedContinuation<Void, Never>] = []
    var buffers: [ClientOperation: MessageBuffer] = [:]
    /// Those that are full. As long as there are some, no credit is given, unless somebody waits for an answer.
    var full: Set<ClientOperation> = []
    /// Those that messages of QoS 0 are dropped for.
    var dropping: Set<ClientOperation> = []
    /// The sequence of the messages that are for no subscription.
    var unclaimed: ClientOperation?
    /// How many sequences have not taken a message yet that several have got.
    var shares: [IncomingFlow.Delivery: Int] = [:]
    var requests = RequestTable()
    var events: [UInt64: AsyncStream<MQTTClientEvent>.Continuation] = [:]

    var pace: ReconnectPace
    var keepAlive: KeepAlivePlan?
    let keepAliveTimer: Timer
    /// For CONNACK, or for the next try.
    let timer: Timer

    init(
        _ configuration: MQTTClientConfiguration, on eventLoop: any EventLoop, dialer: any BrokerLinkDialer,
        logger: Logger, random: @escaping () -> Double = { Double.random(in: 0...1) }
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.dialer = dialer
        self.logger = logger
        self.random = random
        session = ClientSession(configuration)
        pace = ReconnectPace(configuration.reconnect)
        keepAliveTimer = Timer(on: eventLoop)
        timer = Timer(on: eventLoop)
    }

    // MARK: - Connecting

    func connect(_ operation: ClientOperation, _ continuation: Continuation<MQTTConnectAnswer>) {
        guard phase == .idle else { return continuation.resume(returning: .failure(.alreadyConnected)) }
        pace = ReconnectPace(configuration.reconnect)
        do throws(MQTTClientError) {
            try configuration.check()
            try dial(isFirst: true)
            waiters[operation] = .connect(continuation)
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }

    func dial(isFirst: Bool) throws(MQTTClientError) {
        let connect = try session.connectPacket(isReconnect: !isFirst)
        phase = .connecting(isFirst: isFirst)
        readers = [.control: PacketReading(configuration)]
        owedCredit = 0
        if configuration.zeroRTT { session.connectMayArrive() }
        link = dialer.dial(connect: connect, observer: self)
        let limit = configuration.connectTimeout
        timer.arm(in: TimeAmount(limited: limit)) { [weak self] in
            self?.lost(.timedOut(operation: "connecting", after: limit), isRetryUseful: true)
        }
    }

    func connected(_ facts: ConnackFacts) {
        guard let link, let handshake = link.facts else { return }
        timer.cancel()
        phase = .online(since: .now())
        let answer = MQTTConnectAnswer(facts, handshake)
        logger.info(
            "connected",
            metadata: [
                "remote": "\(answer.remoteAddress)", "transport": "\(answer.transport)",
                "client_id": "\(answer.clientID)", "session_present": "\(answer.isSessionPresent)",
            ])
        var streams: [LinkStream] = []
        while streams.count < configuration.dataStreams, let stream = link.openDataStream() {
            readers[stream] = PacketReading(configuration, atMost: PacketReading.mostOnDataStream)
            streams.append(stream)
        }
        session.opened(streams)
        keepAlive = KeepAlivePlan(facts.keepAlive, at: .now())
        watchKeepAlive()
        for (operation, waiter) in waiters {
            guard case .connect(let continuation) = waiter else { continue }
            waiters[operation] = nil
            continuation.resume(returning: .success(answer))
        }
        requests.responseInformation = facts.responseInformation
        tell(.connected(answer))
    }

    // MARK: - The end of a connection

    /// The connection is gone or has to go.
    ///
    /// - Parameters:
    ///   - isGraceful: Whether what was written has to arrive.
    ///   - mayBeTakeover: Whether another client may have taken the session over, although nobody said so.
    func lost(
        _ error: MQTTClientError, isRetryUseful: Bool, isGraceful: Bool = false, mayBeTakeover: Bool = false
    ) {
        let since: NIODeadline? = if case .online(let since) = phase { since } else { nil }
        let wasFirst = phase == .connecting(isFirst: true)
        dropLink(isGraceful: isGraceful)
        session.connectionLost()
        let lived = since.map { Duration.nanoseconds((NIODeadline.now() - $0).nanoseconds) }
        let wait =
            wasFirst || !isRetryUseful
            ? nil : pace.next(after: error, lived: lived, random: random(), mayBeTakeover: mayBeTakeover)
        logger.info(
            wasFirst ? "connecting failed" : "connection lost",
            metadata: ["error": "\(error)", "retry_in": "\(wait?.inWords ?? "never")"])
        if let wait {
            phase = .pausing
            timer.arm(in: TimeAmount(limited: wait)) { [weak self] in self?.tryAgain() }
        } else {
            becomeIdle(error)
        }
        tell(.disconnected(error, retryIn: wait))
    }

    private func tryAgain() {
        do throws(MQTTClientError) {
            try dial(isFirst: false)
        } catch {
            lost(error, isRetryUseful: false)
        }
    }

    func dropLink(isGraceful: Bool) {
        timer.cancel()
        keepAliveTimer.cancel()
        keepAlive = nil
        readers = [:]
        guard let old = link else { return }
        link = nil
        closing[ObjectIdentifier(old)] = old
        if isGraceful { old.finish() } else { old.abort() }
    }

    /// - Parameter error: What the waiting tasks are told; `nil` if the application ended the connection itself.
    func becomeIdle(_ error: MQTTClientError?) {
        let wasFirst = phase == .connecting(isFirst: true)
        phase = .idle
        timer.cancel()
        for (operation, waiter) in waiters {
            guard case .connect(let continuation) = waiter else { continue }
            waiters[operation] = nil
            continuation.resume(returning: .failure(error ?? .cancelled))
        }
        // The sequence of the unclaimed messages was asked for in advance, for the connection that comes about.
        endAll(error, keepsUnclaimed: wasFirst && error != nil)
        releaseIfIdle()
    }

    /// The waiting tasks are told, and all sequences end.
    func endAll(_ error: MQTTClientError?, keepsUnclaimed: Bool = false) {
        for action in session.giveUp(error ?? .notConnected) {
            if case .subscriptionEnded(let operation, _) = action {
                ended(operation, error)
            } else {
                perform(action)
            }
        }
        if let unclaimed, !keepsUnclaimed {
            self.unclaimed = nil
            ended(unclaimed, error)
        }
        failRequests(error ?? .notConnected)
    }

    func releaseIfIdle() {
        guard phase == .idle, link == nil, closing.isEmpty else { return }
        dialer.release()
    }

    // MARK: - Disconnecting

    func disconnect(
        reason: MQTTReasonCode, sessionExpiry: Duration?, userProperties: [MQTTUserProperty],
        _ continuation: CheckedContinuation<Void, Never>?
    ) {
        switch phase {
        case .idle:
            continuation?.resume()
            return
        case .ending: break
        case .connecting, .pausing:
            dropLink(isGraceful: false)
            session.connectionLost()
            becomeIdle(nil)
            continuation?.resume()
            tell(.closed)
            return
        case .online:
            let actions = session.disconnectPacket(
                reason: reason, sessionExpiry: sessionExpiry, userProperties: userProperties)
            perform(actions)
            // 3.1.1 cannot ask for the will in DISCONNECT, so the connection ends without one.
            let wantsWill = configuration.version == .v3_1_1 && reason == .disconnectWithWill
            phase = .ending
            let old = link
            dropLink(isGraceful: !wantsWill)
            session.connectionLost()
            endAll(nil)
            if old == nil { ended() }
        }
        if let continuation { endWaiters.append(continuation) }
    }

    /// The last link of a client that was told to disconnect has ended.
    func ended() {
        guard phase == .ending else { return }
        phase = .idle
        let waiting = endWaiters
        endWaiters = []
        for waiter in waiting { waiter.resume() }
        releaseIfIdle()
        tell(.closed)
    }

    /// Nobody has the client any more.
    func shutDown() {
        if phase == .idle {
            endAll(nil)
        } else {
            disconnect(reason: .success, sessionExpiry: nil, userProperties: [], nil)
        }
        for continuation in events.values { continuation.finish() }
        events = [:]
    }

    // MARK: - Events

    func tell(_ event: MQTTClientEvent) {
        for continuation in events.values { continuation.yield(event) }
    }
}

extension MQTTConnectAnswer {
    fileprivate init(_ facts: ConnackFacts, _ handshake: LinkFacts) {
        self.init(
            isSessionPresent: facts.isSessionPresent, clientID: facts.clientID,
            isClientIDAssigned: facts.isClientIDAssigned, keepAlive: facts.keepAlive, limits: facts.limits,
            responseInformation: facts.responseInformation, reason: facts.reason,
            userProperties: facts.userProperties, transport: handshake.transport,
            remoteAddress: handshake.remoteAddress, isResumed: handshake.isResumed,
            isEarlyDataAccepted: handshake.isEarlyDataAccepted)
    }
}
