import MQTTCodec
import NIOCore
import QUICTransport

/// A device: it publishes to a topic of its own, subscribes to its own commands, and connects again if its connection
/// ends.
///
/// ```
///   idle ── connect() ──▶ connecting ── CONNACK, SUBACK ──▶ ready
///    ▲                        │                              │
///    └── after the wait ── closed ◀──────────────────────────┘
/// ```
final class Device: LoadClient {
    let number: UInt32
    private unowned let run: LoadRun
    private var connection: Connection?
    private var isReady = false
    /// Whether it has ever been ready.
    private(set) var hasConnected = false
    private var wasAccepted = false
    /// When the first attempt to connect began; `nil` once it has succeeded.
    private var firstAttempt: Int64?
    private var attemptStarted: Int64 = 0
    private let template: PublishTemplate?
    private var messages = UnacknowledgedMessages()
    private var nextSequence: UInt32 = 0
    private var receiveMaximum = UInt16.max
    private var arrivals = ArrivalSet()
    /// Whether a message has arrived that was published after the run's mark.
    private var hasRecovered = false

    init(number: UInt32, run: LoadRun) {
        self.number = number
        self.run = run
        template = run.topics.template(forDevice: number)
    }

    // MARK: Connecting

    func connect() {
        attemptStarted = Clock.now
        if firstAttempt == nil, !hasConnected { firstAttempt = attemptStarted }
        wasAccepted = false
        run.deviceConnector.connect(self) { [weak self] connection in
            guard let self else { return connection?.close(isSilent: true) ?? () }
            guard let connection else { return self.lost() }
            self.connection = connection
            connection.write(self.run.topics.connect(forDevice: self.number))
            connection.flush()
        }
    }

    func accepted(_ connack: Connack, at now: Int64) {
        guard connack.code == 0 else { return connection?.close() ?? () }
        wasAccepted = true
        if let firstAttempt {
            run.tally.connect.record(now - firstAttempt)
            self.firstAttempt = nil
        }
        receiveMaximum = connack.properties.receiveMaximum ?? .max
        connection?.write(run.topics.subscribe(forDevice: number))
    }

    func subscribed(_ suback: Suback) {
        isReady = true
        if hasConnected { run.tally.reconnects += 1 }
        hasConnected = true
        run.becameReady()
        sendMessages()
        if let window = run.saturationWindow { _ = saturate(window: window) }
    }

    func failed(_ reason: String) {
        run.note("device \(number): \(reason)")
    }

    func closed(_ connection: Connection) {
        guard connection === self.connection else { return }
        lost()
    }

    private func lost() {
        if !wasAccepted { run.tally.connectsRefused += 1 }
        if isReady { run.becameUnready() }
        connection = nil
        isReady = false
        messages.connectionLost()
        guard !run.hasEnded else { return }
        let wait = run.options.reconnectSeconds * Double.random(in: 0.8...1.2)
        Timer.once(in: .nanoseconds(Clock.nanoseconds(wait)), on: run.eventLoop) { [weak self] in
            guard let self, !self.run.hasEnded else { return }
            self.connect()
        }
    }

    /// Says goodbye, so that no will and no session is left.
    func end() {
        guard let connection else { return }
        connection.write(run.topics.disconnect)
        connection.flush()
        connection.close(isSilent: true)
        self.connection = nil
    }

    /// Sends a ping if it is time for one, and gives up a connection that does not answer or does not come about.
    func keepAlive(at now: Int64) {
        guard let connection else { return }
        guard isReady else {
            if now - attemptStarted > 30 * Clock.second { connection.close() }
            return
        }
        let interval = Int64(run.options.keepAlive) * Clock.second
        guard interval > 0 else { return }
        if let sent = connection.pingSent {
            if now - sent > interval { connection.close() }
        } else if now - min(connection.lastRead, connection.lastWrite) >= interval {
            connection.ping()
        }
    }

    // MARK: Publishing

    /// A message is due.
    func publish(due: Int64) {
        let sequence = nextSequence
        nextSequence += 1
        run.tally.offered += 1
        guard run.options.qos == .atLeastOnce else { return publishOnce(sequence, due) }
        guard messages.append(sequence: sequence, due: due) else {
            run.tally.unsent += 1
            return
        }
        sendMessages()
    }

    private func publishOnce(_ sequence: UInt32, _ due: Int64) {
        guard isReady, let connection, let template, connection.canWrite else {
            run.tally.unsent += 1
            return
        }
        connection.write { template.write(self.stamp(sequence, due), to: &$0) }
    }

    /// Publishes as fast as the connection takes it, up to the window.
    /// - Returns: Whether it has published anything.
    func saturate(window: Int) -> Bool {
        guard isReady, let connection, connection.canWrite else { return false }
        let now = Clock.now
        if run.options.qos == .atLeastOnce {
            let room = window - messages.count
            guard room > 0 else { return false }
            for _ in 0..<room { publish(due: now) }
        } else {
            for _ in 0..<window where connection.canWrite { publish(due: now) }
        }
        connection.flush()
        return true
    }

    func flush() { connection?.flush() }

    private func sendMessages() {
        guard isReady, let connection, let template else { return }
        while messages.hasUnsent, messages.inFlight < Int(receiveMaximum), connection.canWrite,
            let message = messages.takeUnsent()
        {
            if message.isRepeated { run.tally.resent += 1 }
            let stamp = stamp(message.sequence, message.due)
            connection.write {
                template.write(stamp, packetID: message.packetID, isDuplicate: message.isRepeated, to: &$0)
            }
        }
    }

    private func stamp(_ sequence: UInt32, _ due: Int64) -> Stamp {
        Stamp(kind: .publish, due: due, run: run.identifier, device: number, sequence: sequence)
    }

    func acknowledged(_ packetID: UInt16, at now: Int64) {
        guard let message = messages.acknowledge(packetID) else { return }
        run.tally.acknowledgements += 1
        if run.window.contains(message.due) { run.tally.acknowledged.record(now - message.due) }
        if messages.hasUnsent { sendMessages() }
        if let window = run.saturationWindow, messages.count < window { publish(due: now) }
    }

    func becameWritable() {
        if messages.hasUnsent { sendMessages() }
        if let window = run.saturationWindow { _ = saturate(window: window) }
    }

    // MARK: Arrivals

    /// A message of this device has arrived at the receiver.
    func messageArrived(_ stamp: Stamp, at now: Int64) {
        guard stamp.sequence < nextSequence else { return }
        guard arrivals.insert(stamp.sequence) else {
            run.tally.duplicates += 1
            return
        }
        run.tally.arrived(due: stamp.due, at: now, window: run.window)
        guard let mark = run.mark, !hasRecovered, stamp.due >= mark else { return }
        hasRecovered = true
        run.tally.recovery.record(now - mark)
    }

    /// A command, or a message to all devices, has arrived at this device.
    func arrived(_ stamp: Stamp, at now: Int64) {
        guard stamp.run == run.identifier else { return }
        switch stamp.kind {
        case .command:
            if run.window.contains(stamp.due) { run.tally.commands.record(now - stamp.due) }
        case .fanOut:
            guard stamp.sequence < run.publisher.published else { return }
            guard arrivals.insert(stamp.sequence) else {
                run.tally.duplicates += 1
                return
            }
            run.tally.arrived(due: stamp.due, at: now, window: run.window)
        case .publish:
            break
        }
    }
}
