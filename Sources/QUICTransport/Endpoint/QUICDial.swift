import NIOCore

/// Makes one connection: races a server's addresses, and gives its owner the first one that completes a handshake.
///
/// ```
///   looking up ── addresses ──▶ racing ── a handshake completed ──▶ over: the others are closed
///        └─── no such name ───────┴───── all failed, time is up ──▶ over
/// ```
/// The owner's early data may go to the first address. It goes to another address only after that attempt is closed.
///
/// Confined to its event loop.
package final class QUICDial {
    /// The connection that completed its handshake first. Its events go to the dial until it gets another observer.
    package struct Winner {
        package let handle: QUICConnectionHandle
        package let address: SocketAddress
        /// The protocol that the server chose.
        package let alpn: String
        package let startedAt: NIODeadline
        /// Whether early data could be sent on it.
        package let isEarly: Bool
    }

    /// Why there is no connection.
    package struct Failure {
        /// A sentence for the log.
        package let why: String
        /// The most informative of the addresses' errors, or why there are no addresses; `nil` if there is none.
        package let cause: (any Error)?
        /// What the failure says about the server if there is no cause.
        package let kind: ConnectFailure
    }

    /// An address that is being tried.
    private struct Runner {
        let handle: QUICConnectionHandle
        let address: SocketAddress
        let ticket: QUICResumption?
        let startedAt: NIODeadline
        /// Whether early data could be sent.
        let isEarly: Bool
    }

    package let deadline: NIODeadline
    private weak var owner: (any QUICDialOwner)?
    private var race: AddressRace?
    private var runners: [ObjectIdentifier: Runner] = [:]
    /// Whether the first address, which alone may get early data, has not been tried yet.
    private var isFirst = true
    /// The timer of the lookup, and then of the race.
    private let timer: Timer
    package private(set) var isOver = false
    /// The most informative of the failures.
    private var cause: (any Error)?
    /// A server is there and has refused. The other addresses, which may belong to other servers or lead nowhere, get
    /// only a moment, because the refused handshake should be tried again soon.
    private var refusal: (why: String, until: NIODeadline)?
    private static let timeAfterRefusal = TimeAmount.milliseconds(500)

    /// - Parameters:
    ///   - owner: Not retained.
    ///   - deadline: When the lookup has to be over, and from when on no address is tried. The owner limits the
    ///     handshakes themselves.
    package init(owner: any QUICDialOwner, until deadline: NIODeadline, on eventLoop: any EventLoop) {
        self.owner = owner
        self.timer = Timer(on: eventLoop)
        self.deadline = deadline
    }

    package func awaitsAddresses(of host: String) {
        schedule(deadline) {
            $0.fail(
                "the name \(host) could not be looked up in time: check the DNS of this machine", kind: .unanswered)
        }
    }

    package var isAwaitingAddresses: Bool { !isOver && race == nil }

    /// - Parameter family: The address family to begin with.
    package func begin(with addresses: [SocketAddress], preferring family: NIOBSDSocket.ProtocolFamily? = nil) {
        race = AddressRace(addresses, preferring: family, at: .now(), until: deadline)
        advance()
    }

    /// There are no addresses.
    ///
    /// - Parameter kind: What that says about the server, if none of the addresses has shown it.
    package func fail(_ why: String, _ error: (any Error)? = nil, kind: ConnectFailure = .network) {
        end()
        owner?.dialFailed(Failure(why: why, cause: cause ?? error, kind: kind))
    }

    /// The connection is no longer wanted.
    package func abandon() {
        end()
        for runner in runners.values { close(runner) }
        runners.removeAll()
    }

    private func end() {
        isOver = true
        timer.cancel()
    }

    private func schedule(_ deadline: NIODeadline, _ body: @escaping (QUICDial) -> Void) {
        timer.arm(at: deadline) { [weak self] in
            if let self, !isOver { body(self) }
        }
    }
}

// MARK: - The race

extension QUICDial {
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
        fail(why, kind: .refused)
    }

    private func start(_ address: SocketAddress) {
        if let obstacle = NetworkRoute.obstacle(to: address) {
            return failed(QUICError.unreachable(remote: address.hostAndPort, reason: obstacle))
        }
        guard let owner else { return abandon() }
        let ticket = owner.takeTicket()
        let isEarly = isFirst && ticket?.allowsEarlyData == true && owner.hasEarlyData
        isFirst = false
        let handle: QUICConnectionHandle
        do {
            handle = try owner.dial(self, connectTo: address, ticket: ticket, isEarly: isEarly)
        } catch {
            // No server has seen the ticket. If the network is at fault, it can be used at the next address.
            if let ticket, Self.isOfNetwork(error) { owner.putBack(ticket) }
            return failed(error)
        }
        let runner = Runner(handle: handle, address: address, ticket: ticket, startedAt: .now(), isEarly: isEarly)
        runners[ObjectIdentifier(handle)] = runner
        do {
            if isEarly, try owner.sendEarlyData(on: handle) { race?.sentEarlyData(at: .now()) }
        } catch {
            // The attempt counts as failed from here on, so its connection must not go on beside the others.
            runners[ObjectIdentifier(handle)] = nil
            close(runner)
            owner.earlyDataLost(on: handle, isRejected: false)
            failed(error)
        }
    }

    /// QUIC may take seconds to send again what is unanswered (RFC 9002 6.2.4). When there is reason to believe that
    /// the network is back, a new attempt succeeds sooner.
    package func hurry() {
        guard !isOver, race != nil else { return }
        let now = NIODeadline.now()
        for (key, runner) in runners
        where runner.startedAt + Self.leastAge <= now && runner.handle.lastReceived <= runner.startedAt {
            runners[key] = nil
            if let ticket = runner.ticket { owner?.putBack(ticket) }
            close(runner)
            owner?.earlyDataLost(on: runner.handle, isRejected: false)
            // In the race, it takes the place of the old attempt.
            start(runner.address)
        }
        advance()
    }

    /// The answer to a newer attempt may be under way.
    private static let leastAge = TimeAmount.milliseconds(250)

    private func failed(_ error: any Error) {
        let isSilence = Self.isSilence(error)
        if cause == nil || !isSilence { cause = error }
        race?.failed("\(error)", isSilence: isSilence, at: .now())
    }

    private static func isSilence(_ error: any Error) -> Bool {
        switch error as? QUICError {
        case .noAnswer, .unreachable: true
        default: false
        }
    }

    /// Whether a connection could not even begin, and its ticket has nothing to do with that.
    private static func isOfNetwork(_ error: any Error) -> Bool {
        error is IOError || ConnectFailure(error) == .network
    }

    private func close(_ runner: Runner) {
        runner.handle.observer = nil
        runner.handle.close()
    }
}

extension QUICDial: QUICConnectionObserver {
    package func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        guard !isOver, let runner = runners[ObjectIdentifier(handle)] else { return }
        switch event {
        case .handshakeCompleted(let alpn): won(runner, alpn: alpn)
        case .earlyDataRejected: owner?.earlyDataLost(on: handle, isRejected: true)
        case .closed(let error): lost(runner, error)
        default: break
        }
    }

    private func won(_ winner: Runner, alpn: String) {
        end()
        runners[ObjectIdentifier(winner.handle)] = nil
        // This comes before anything is sent on the winner, since early data may have gone out on another connection.
        for runner in runners.values { close(runner) }
        runners.removeAll()
        owner?.dialSucceeded(
            Winner(
                handle: winner.handle, address: winner.address, alpn: alpn, startedAt: winner.startedAt,
                isEarly: winner.isEarly))
    }

    private func lost(_ runner: Runner, _ error: QUICError) {
        runners[ObjectIdentifier(runner.handle)] = nil
        // An unanswered attempt says nothing against its ticket; another failure may be the ticket's fault.
        if let ticket = runner.ticket, Self.isSilence(error) { owner?.putBack(ticket) }
        owner?.earlyDataLost(on: runner.handle, isRejected: false)
        if case .connectionRefused = error, refusal == nil {
            refusal = ("\(error)", .now() + Self.timeAfterRefusal)
        }
        failed(error)
        advance()
    }
}
