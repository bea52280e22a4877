import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// Makes one connection: races the broker's addresses, and gives the carrier the first one that completes a handshake.
///
/// ```
///   looking up ── addresses ──▶ racing ── a handshake completed ──▶ over: the others are closed
///        └─── no such name ───────┴───── all failed, time is up ──▶ over
/// ```
/// A device's CONNECT may go to the first address as early data. It goes to another address only after that attempt is
/// closed.
final class QUICAttempt {
    /// An address that is being tried.
    private struct Runner {
        let handle: QUICConnectionHandle
        let address: SocketAddress
        let ticket: QUICResumption?
        let startedAt: NIODeadline
        /// Whether a leg could send early data.
        let isEarly: Bool
    }

    let connection: QUICCarrier
    let deadline: NIODeadline
    private unowned let dialer: QUICDialer
    /// The leg that may send early data, until the first address is tried.
    private var early: UplinkLeg?
    private var race: AddressRace?
    private var runners: [ObjectIdentifier: Runner] = [:]
    /// The timer of the lookup, and then of the race.
    private let timer: Timer
    private(set) var isOver = false
    /// What the most informative of the failures says about this way to the broker.
    private var failure: UplinkWay.Failure?
    /// A server is there and has refused. The other addresses, which may belong to other servers or lead nowhere, get
    /// only a moment, because the refused handshake should be tried again soon.
    private var refusal: (why: String, until: NIODeadline)?
    private static let timeAfterRefusal = TimeAmount.milliseconds(500)

    init(_ connection: QUICCarrier, dialer: QUICDialer, until deadline: NIODeadline, early: UplinkLeg?) {
        self.connection = connection
        self.dialer = dialer
        self.timer = Timer(on: dialer.eventLoop)
        self.deadline = deadline
        self.early = early
    }

    func awaitsAddresses(of host: String) {
        schedule(deadline) {
            $0.fail("the name \(host) could not be looked up in time: check the DNS of this machine", .unanswered)
        }
    }

    var isAwaitingAddresses: Bool { !isOver && race == nil }

    func begin(with addresses: [SocketAddress]) {
        race = AddressRace(addresses, preferring: dialer.lastGoodFamily, at: .now(), until: deadline)
        advance()
    }

    /// - Parameter failure: What the failure says about this way to the broker, if none of the addresses has shown it.
    func fail(_ why: String, _ failure: UplinkWay.Failure = .network) {
        end()
        dialer.ended(self)
        connection.failed(why, self.failure ?? failure)
    }

    /// The connection is no longer wanted.
    func abandon() {
        end()
        for runner in runners.values { close(runner) }
        runners.removeAll()
    }

    private func end() {
        isOver = true
        timer.cancel()
        early = nil
    }

    private func schedule(_ deadline: NIODeadline, _ body: @escaping (QUICAttempt) -> Void) {
        timer.arm(at: deadline) { [weak self] in
            if let self, !isOver { body(self) }
        }
    }
}

// MARK: - The race

extension QUICAttempt {
    private func advance() {
        timer.cancel()
        while !isOver, let step = race?.next(at: .now()) {
            if let refusal, refusal.until <= .now() { return refused(refusal.why) }
            switch step {
            case .start(let address): start(address)
            case .wait(let time):
                guard let next = [time, refusal?.until].compactMap({ $0 }).min() else { return }
                return schedule(next) { $0.advance() }
            case .failed(let why): fail(why)
            }
        }
    }

    private func refused(_ why: String) {
        for runner in runners.values { close(runner) }
        runners.removeAll()
        fail(why, .refused)
    }

    private func start(_ address: SocketAddress) {
        if let obstacle = NetworkRoute.obstacle(to: address) {
            return failed(QUICError.unreachable(remote: address.hostAndPort, reason: obstacle))
        }
        dialer.paths.tried(address, of: connection.endpoint)
        let ticket = connection.settings.tickets.take(for: connection.endpoint)
        let leg = early.flatMap { $0.isWaiting && ticket?.allowsEarlyData == true ? $0 : nil }
        early = nil
        do {
            let handle = try dialer.connect(self, to: address, ticket: ticket, earlyData: leg != nil)
            runners[ObjectIdentifier(handle)] = Runner(
                handle: handle, address: address, ticket: ticket, startedAt: .now(), isEarly: leg != nil)
            if let leg, try connection.startEarly(leg, on: handle) { race?.sentEarlyData(at: .now()) }
        } catch {
            failed(error)
        }
    }

    /// QUIC may take seconds to send again what is unanswered (RFC 9002 6.2.4). When there is reason to believe that
    /// the network is back, a new attempt succeeds sooner.
    func hurry() {
        guard !isOver, race != nil else { return }
        let now = NIODeadline.now()
        for (key, runner) in runners
        where runner.startedAt + Self.leastAge <= now && runner.handle.lastReceived <= runner.startedAt {
            runners[key] = nil
            if let ticket = runner.ticket { connection.settings.tickets.put(ticket, for: connection.endpoint) }
            close(runner)
            connection.earlyDataLost(on: runner.handle)
            // In the race, it takes the place of the old attempt.
            start(runner.address)
        }
        advance()
    }

    /// The answer to a newer attempt may be under way.
    private static let leastAge = TimeAmount.milliseconds(250)

    private func failed(_ error: any Error) {
        let isSilence = Self.isSilence(error)
        if failure == nil || !isSilence { failure = UplinkWay.Failure(error) }
        race?.failed("\(error)", isSilence: isSilence, at: .now())
    }

    private static func isSilence(_ error: any Error) -> Bool {
        switch error as? QUICError {
        case .noAnswer, .unreachable: true
        default: false
        }
    }

    private func close(_ runner: Runner) {
        runner.handle.observer = nil
        runner.handle.close()
    }
}

extension QUICAttempt: QUICConnectionObserver {
    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        guard !isOver, let runner = runners[ObjectIdentifier(handle)] else { return }
        switch event {
        case .handshakeCompleted(let alpn): won(runner, alpn: alpn)
        case .earlyDataRejected:
            dialer.earlyData.rejected += 1
            connection.earlyDataLost(on: handle)
        case .closed(let error): lost(runner, error)
        default: break
        }
    }

    private func won(_ winner: Runner, alpn: String) {
        end()
        runners[ObjectIdentifier(winner.handle)] = nil
        // This comes before anything is sent on the winner, since CONNECT may have gone out on another connection.
        for runner in runners.values { close(runner) }
        runners.removeAll()
        dialer.logger.debug(
            "connected to the broker",
            metadata: [
                "address": "\(winner.address.hostAndPort)", "alpn": "\(alpn)", "resumed": "\(winner.handle.isResumed)",
                "early_data": "\(winner.handle.isEarlyDataAccepted)",
                "took": "\(Duration(NIODeadline.now() - winner.startedAt))", "leg": "uplink",
            ])
        if winner.isEarly, winner.handle.isEarlyDataAccepted { dialer.earlyData.accepted += 1 }
        dialer.verified(winner.handle)
        dialer.succeeded(self, at: winner.address)
        winner.handle.observer = connection
        connection.established(on: winner.handle, alpn: alpn)
    }

    private func lost(_ runner: Runner, _ error: QUICError) {
        runners[ObjectIdentifier(runner.handle)] = nil
        // An unanswered attempt says nothing against its ticket; another failure may be the ticket's fault.
        if let ticket = runner.ticket, Self.isSilence(error) {
            connection.settings.tickets.put(ticket, for: connection.endpoint)
        }
        connection.earlyDataLost(on: runner.handle)
        if case .connectionRefused = error, refusal == nil {
            refusal = ("\(error)", .now() + Self.timeAfterRefusal)
        }
        failed(error)
        advance()
    }
}
