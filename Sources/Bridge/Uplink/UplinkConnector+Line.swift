import BridgeCore
import NIOCore
import QUICTransport

// The line in which devices wait, and what becomes of its first.
extension UplinkConnector {
    private enum Step {
        case attach(UplinkConnection)
        /// One for this device alone that was made ahead of time.
        case take(UplinkConnection)
        case dial(Upstream.Attempt)
        case wait(until: NIODeadline?)
    }

    /// At once, where many devices come together.
    private static let parallelDials = 8

    /// Lets devices go for as long as the first in the line can.
    func advance() {
        guard !isAdvancing, !isShutDown else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while let (leg, keepAlive) = waiters.first {
            guard leg.isWaiting else {
                waiters.removeFirst()
                continue
            }
            switch nextStep(keepAlive) {
            case .attach(let connection):
                waiters.removeFirst()
                // What others have had on it says little about now. (In a session of the gateway more than CONNECT may be
                // under way.)
                if case .devices = role { leg.mayComeBack(keepAlive: keepAlive) }
                guard attach(leg, to: connection) else {
                    // It says that it has room when it has: `connectionHasRoom`.
                    toTheFront(leg, keepAlive)
                    return
                }
            case .take(let connection):
                waiters.removeFirst()
                leg.mayComeBack(keepAlive: keepAlive)
                serve(Dial(connection: connection, leg: leg, keepAlive: keepAlive, attempt: nil))
            case .dial(let attempt):
                waiters.removeFirst()
                dial(for: leg, keepAlive: keepAlive, attempt)
            case .wait(let until):
                if let until { advance(at: until) }
                return
            }
        }
        prepareNextConnection()
    }

    private func nextStep(_ keepAlive: Duration?) -> Step {
        let now = NIODeadline.now()
        if sharing == .offered, let connection = shared.withRoom {
            return upstream.admit(at: now).map { .wait(until: $0) } ?? .attach(connection)
        }
        if sharing == .refused, let warm, warm.hasOne(for: keepAlive) {
            if let until = upstream.admit(at: now) { return .wait(until: until) }
            if let connection = warm.take(for: keepAlive, owner: self) { return .take(connection) }
        }
        guard takesAnotherDial else { return .wait(until: nil) }
        return switch upstream.mayDial(line, for: waker, at: now) {
        case .go(let attempt): .dial(attempt)
        case .wait(let until): wait(until: until)
        }
    }

    /// Whoever waits because of a loss is to hear of the broker's return.
    private func wait(until: NIODeadline?) -> Step {
        if isDisturbed { dialer.paths.wake() }
        return .wait(until: until)
    }

    /// Whether another connection, besides those on their way, would be of use to the first in the line.
    private var takesAnotherDial: Bool {
        // What is on its way over QUIC is of no use to those who go by TLS, each on one of its own.
        guard upstream.chosen != .tls else { return true }
        return switch sharing {
        case .offered:
            !shared.awaitsFirstStream
                && dialCount < min(waiters.count / shared.capacity + 1, Self.parallelDials)
        case .unknown: dialCount == 0
        case .refused: true
        }
    }

    /// On their way, for a device or ahead of time.
    private var dialCount: Int { dials.count + (warm?.isDialing == true ? 1 : 0) }

    private func advance(at deadline: NIODeadline) {
        retry.arm(by: deadline) { [weak self] in self?.advance() }
    }

    /// False where the connection has no room after all.
    private func attach(_ leg: UplinkLeg, to connection: UplinkConnection) -> Bool {
        do {
            return try connection.openStream(for: leg)
        } catch {
            leg.unreachable("\(error)")
            return true
        }
    }

    private func dial(for leg: UplinkLeg?, keepAlive: Duration?, _ attempt: Upstream.Attempt) {
        guard case .quic(let index) = attempt.candidate else {
            return dialTLS(for: leg, keepAlive: keepAlive, attempt)
        }
        let endpoint = configuration.endpoints[index]
        let patience = configuration.handshakeTimeout
        let connection: UplinkConnection
        switch role {
        case .devices:
            // One that may be shared is not to be thought alive for as long as its first device is patient.
            connection = dialer.dial(
                to: endpoint, within: patience, keepAlive: sharing == .refused ? keepAlive : nil, owner: self,
                early: leg)
        case .gateway(let version, let identity, let numbers):
            let control = GatewayControl(
                identity: identity, version: version, numbers: numbers, connectTimeout: configuration.connectTimeout,
                eventLoop: eventLoop, logger: logger)
            connection = dialer.dial(to: endpoint, within: patience, keepAlive: nil, owner: self, control: control)
        }
        dials[ObjectIdentifier(connection)] = Dial(
            connection: connection, leg: leg, keepAlive: keepAlive, attempt: attempt)
        if isDisturbed { dialer.paths.wake() }
    }

    /// Has the next shared connection ready before the present ones are full.
    private func prepareNextConnection() {
        // A session of the gateway is something that the broker shows: none is made for nobody.
        guard case .devices = role, !shared.isEmpty, shared.isNearlyFull, dialCount == 0, !shared.awaitsFirstStream,
            upstream.chosen != .tls
        else {
            warm?.fill()
            return
        }
        guard case .go(let attempt) = upstream.mayDial(line, for: waker, at: .now()) else { return }
        dial(for: nil, keepAlive: nil, attempt)
    }

    /// Back to where it was, at the head of the line.
    func requeue(_ leg: UplinkLeg?, keepAlive: Duration?) {
        if let leg, leg.isWaiting { toTheFront(leg, keepAlive) }
    }

    func toTheFront(_ leg: UplinkLeg, _ keepAlive: Duration?) {
        waiters.prepend(ObjectIdentifier(leg), (leg, keepAlive))
    }
}
