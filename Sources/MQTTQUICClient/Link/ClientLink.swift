import Logging
import NIOCore
import QUICTransport

/// A link from its first attempt to its end, on whatever way it comes about.
///
/// ```
/// preparing --> dialing --(failed, another attempt)--> pausing
///     |            |  ^------- the pause is over ---------+
///     |            +--verified--> open
///     +------------+--------------+---> ended
/// ```
/// What it is told by the carrier it passes on; what is done after a failure, the plan decides.
final class ClientLink {
    private enum State {
        /// Files are being read.
        case preparing
        case dialing(LinkWay, any LinkCarrier)
        case pausing
        case open(any LinkCarrier)
        case ended
    }

    private let dialer: LinkDialer
    private let connect: ByteBuffer
    /// Kept until the end has been told.
    private var observer: (any BrokerLinkObserver)?
    private var state = State.preparing
    private var security: LinkSecurity?
    private var failures: [LinkWay: LinkFailure] = [:]
    /// The timer of the pause.
    private let pause: Timer
    /// Limits everything up to the open link.
    private let limit: Timer
    private(set) var facts: LinkFacts?

    init(connect: ByteBuffer, observer: any BrokerLinkObserver, dialer: LinkDialer) {
        self.connect = connect
        self.observer = observer
        self.dialer = dialer
        self.pause = Timer(on: dialer.eventLoop)
        self.limit = Timer(on: dialer.eventLoop)
    }

    func start() {
        guard case .preparing = state else { return }
        let budget = dialer.settings.budget
        // The attempts have limits of their own, which say more when they end.
        limit.arm(in: TimeAmount(budget + min(budget / 20, .milliseconds(250)))) { [weak self] in self?.tookTooLong() }
        dialer.prepare { [weak self] result in
            guard let self, case .preparing = state else { return }
            switch result {
            case .success(let security):
                self.security = security
                perform(dialer.plan.begin(at: .now()))
            case .failure(let error):
                let failure = LinkFailure(
                    cause: error, why: "\(error)", kind: .other, on: dialer.settings.target(.quic))
                end(.lost(failure.error, isRetryUseful: failure.isRetryUseful))
            }
        }
    }

    private func perform(_ step: LinkPlan.Step) {
        switch step {
        case .dial(let way, let patience):
            guard let carrier = carrier(way) else { return giveUp() }
            state = .dialing(way, carrier)
            carrier.start(within: patience)
        case .wait(let until):
            state = .pausing
            pause.arm(at: until) { [weak self] in
                guard let self, case .pausing = state else { return }
                perform(dialer.plan.resume(at: .now()))
            }
        case .giveUp: giveUp()
        }
    }

    private func carrier(_ way: LinkWay) -> (any LinkCarrier)? {
        guard let security else { return nil }
        switch way {
        case .quic:
            return QUICLink(
                connect: connect, security: security, sockets: dialer.takeSockets(), dialer: dialer, observer: self)
        case .tls:
            return security.tls.map { TLSLink(connect: connect, context: $0, dialer: dialer, observer: self) }
        }
    }

    private func giveUp() {
        let failure: LinkFailure? =
            if let quic = failures[.quic], let tls = failures[.tls] {
                .both(quic, tls, host: dialer.settings.configuration.host)
            } else {
                failures[.quic] ?? failures[.tls]
            }
        guard let failure else { return tookTooLong() }
        end(.lost(failure.error, isRetryUseful: failure.isRetryUseful))
    }

    private func tookTooLong() {
        let way: LinkWay = if case .dialing(let way, _) = state { way } else { .quic }
        closeCarrier()
        end(
            .lost(
                .handshakeTimedOut(
                    address: dialer.settings.target(way).hostAndPort, after: dialer.settings.budget),
                isRetryUseful: true))
    }

    private func closeCarrier() {
        switch state {
        case .dialing(_, let carrier), .open(let carrier): carrier.close()
        case .preparing, .pausing, .ended: break
        }
    }

    private func end(_ end: LinkEnd) {
        if case .ended = state { return }
        if case .open = state {} else { dialer.plan.end() }
        state = .ended
        pause.cancel()
        limit.cancel()
        let observer = observer
        self.observer = nil
        observer?.linkEnded(self, end)
    }
}

extension ClientLink: BrokerLink {
    func write(_ bytes: ByteBuffer, on stream: LinkStream) { open?.write(bytes, on: stream) }

    func backlog(of stream: LinkStream) -> Int { open?.backlog(of: stream) ?? 0 }

    func consumed(_ bytes: Int, on stream: LinkStream) { open?.consumed(bytes, on: stream) }

    func openDataStream() -> LinkStream? { open?.openDataStream() }

    func finish() {
        guard let open else { return abort() }
        open.finish()
    }

    func abort() {
        if case .ended = state { return }
        closeCarrier()
        if case .open = state {} else { dialer.plan.end() }
        state = .ended
        pause.cancel()
        limit.cancel()
        dialer.eventLoop.assumeIsolated().execute { [self] in
            let observer = observer
            self.observer = nil
            observer?.linkEnded(self, .finished)
        }
    }

    private var open: (any LinkCarrier)? {
        if case .open(let carrier) = state { carrier } else { nil }
    }
}

extension ClientLink: LinkCarrierObserver {
    func carrierOpened(_ facts: LinkFacts) {
        guard case .dialing(let way, let carrier) = state else { return }
        state = .open(carrier)
        limit.cancel()
        dialer.plan.opened(way, at: .now())
        self.facts = facts
        observer?.linkOpened(self, facts)
    }

    func carrierFailed(_ failure: LinkFailure) {
        guard case .dialing(let way, _) = state else { return }
        failures[way] = failure
        // New files may be what was missing.
        if failure.obstacle == .connection(.certificate) { dialer.forgetFiles() }
        dialer.logger.debug(
            "the broker could not be reached on one way",
            metadata: ["way": "\(way)", "error": "\(failure.error)"])
        perform(dialer.plan.failed(way, failure.obstacle, at: .now(), jitter: .random(in: 0...1)))
    }

    func carrierReceived(_ bytes: ByteBuffer, on stream: LinkStream) {
        observer?.link(self, received: bytes, on: stream)
    }

    func carrierWritable(on stream: LinkStream) { observer?.linkWritable(self, on: stream) }

    func carrierEnded(_ stream: LinkStream) { observer?.link(self, ended: stream) }

    func carrierMoved(to localAddress: String) { observer?.linkMoved(self, to: localAddress) }

    func carrierEnded(_ end: LinkEnd) {
        // The connection ended between the handshake and its first stream.
        if case .dialing(let way, _) = state, case .lost(let error, _, _) = end {
            return carrierFailed(
                LinkFailure(
                    cause: nil, why: "\(error)", kind: .network, on: dialer.settings.target(way)))
        }
        self.end(end)
    }
}
