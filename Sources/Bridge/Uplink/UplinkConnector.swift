import BridgeCore
import DequeModule
import Logging
import NIOCore
import QUICTransport

/// Makes uplink legs for the devices of one event loop.
///
/// Each leg resolves the broker's name anew and tries its addresses in turn. After a failure the ``ReconnectGate`` lets
/// one leg at a time try again; the others wait here, until it succeeds or their devices' patience ends.
final class UplinkConnector {
    /// A leg on its way: which addresses are left to try, and how long each may take.
    private struct Attempt {
        var addresses: Deque<SocketAddress>
        let share: Duration
        let keepAlive: Duration?
        var lastError: String?
    }

    private let configuration: UplinkConfiguration
    private let eventLoop: any EventLoop
    private let tls: QUICTLSContext
    /// Bytes that the broker may send a device before the device has taken any.
    private let receiveWindow: UInt64
    private let resolver: HostResolver
    private let logger: Logger
    private var endpoints: [QUICAddressFamily: QUICEndpoint] = [:]
    private var gate: ReconnectGate
    private var attempts: [ObjectIdentifier: Attempt] = [:]
    /// Legs that wait for the lookup under way; nil when there is none. Bounded by `limits.devices`.
    private var lookup: [(leg: QUICUplinkLeg, keepAlive: Duration?)]?
    /// Bounded by `limits.devices`: one entry a device.
    private var waiters: Deque<(leg: QUICUplinkLeg, keepAlive: Duration?)> = []
    private var retry: Scheduled<Void>?
    /// Tried first the next time: with two families, the one that works.
    private var lastGoodFamily: QUICAddressFamily?
    private var lastFailure: String?

    init(configuration: BridgeConfiguration, eventLoop: any EventLoop, tls: QUICTLSContext, logger: Logger) {
        self.configuration = configuration.uplink
        self.receiveWindow = UInt64(configuration.limits.sessionBuffer)
        self.eventLoop = eventLoop
        self.tls = tls
        self.resolver = HostResolver()
        self.logger = logger
        self.gate = ReconnectGate(
            minimum: configuration.uplink.backoffMinimum, maximum: configuration.uplink.backoffMaximum)
    }

    /// Starts a leg; the outcome goes to its observer, never from within this call.
    func connect(keepAlive: Duration?, observer: any UplinkLegObserver) -> QUICUplinkLeg {
        let leg = QUICUplinkLeg(observer: observer, connector: self)
        eventLoop.assumeIsolated().execute { [self] in
            guard leg.isWaiting else { return }
            ask(for: leg, keepAlive: keepAlive)
        }
        return leg
    }

    /// All legs are closed or about to be: the sockets go when the last word is out.
    func shutDown() {
        retry?.cancel()
        for endpoint in endpoints.values { endpoint.flushAndAbandon() }
        endpoints.removeAll()
    }

    private func ask(for leg: QUICUplinkLeg, keepAlive: Duration?) {
        switch gate.request(at: .now()) {
        case .go:
            resolve(for: leg, keepAlive: keepAlive)
        case .wait(let until):
            waiters.append((leg, keepAlive))
            retryLater(until)
        case .waitForProbe:
            waiters.append((leg, keepAlive))
        }
    }

    private func retryLater(_ until: NIODeadline) {
        guard retry == nil else { return }
        retry = eventLoop.assumeIsolated().scheduleTask(deadline: until) { [weak self] in
            self?.retry = nil
            self?.letNextTry()
        }
    }

    /// Lets the first waiter ask again: it becomes the probe, or waits for the one there is.
    private func letNextTry() {
        while let (leg, keepAlive) = waiters.popFirst() {
            guard leg.isWaiting else { continue }
            return ask(for: leg, keepAlive: keepAlive)
        }
    }

    /// What went wrong last, while nothing has gone right since.
    var presentFailure: String? { lastFailure }
}

// MARK: - One attempt

extension UplinkConnector {
    /// Looks the name up anew, but one lookup at a time: where DNS hangs, devices that come and go must not pile up
    /// lookups behind each other.
    private func resolve(for leg: QUICUplinkLeg, keepAlive: Duration?) {
        guard lookup == nil else {
            lookup?.append((leg, keepAlive))
            return
        }
        lookup = [(leg, keepAlive)]
        resolver.resolve(host: configuration.host, port: configuration.port, on: eventLoop)
            .assumeIsolated()
            .whenComplete { [self] result in
                let legs = lookup ?? []
                lookup = nil
                for (leg, keepAlive) in legs where leg.isWaiting {
                    switch result {
                    case .success(let addresses): resolved(addresses, for: leg, keepAlive: keepAlive)
                    case .failure(let error): failed(leg, "\(error)")
                    }
                }
            }
    }

    private func resolved(_ all: [SocketAddress], for leg: QUICUplinkLeg, keepAlive: Duration?) {
        let addresses = ordered(all)
        guard !addresses.isEmpty else {
            return failed(leg, "\(configuration.host) has no \(configuration.addressFamily.rawValue) address")
        }
        // A little less than the session waits, so that the device hears the reason and not only that time ran out.
        let share = max(configuration.connectTimeout * 0.9 / Double(addresses.count), .milliseconds(200))
        attempts[ObjectIdentifier(leg)] = Attempt(addresses: Deque(addresses), share: share, keepAlive: keepAlive)
        tryNext(leg)
    }

    private func ordered(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let usable = addresses.filter { configuration.addressFamily.admits($0) }
        guard let first = lastGoodFamily else { return usable }
        return usable.filter { QUICAddressFamily($0) == first } + usable.filter { QUICAddressFamily($0) != first }
    }

    private func tryNext(_ leg: QUICUplinkLeg) {
        guard let address = attempts[ObjectIdentifier(leg)]?.addresses.popFirst(),
            let attempt = attempts[ObjectIdentifier(leg)]
        else {
            return failed(leg, attempts[ObjectIdentifier(leg)]?.lastError ?? "no address is left to try")
        }
        do {
            let endpoint = try endpoint(for: address)
            let handle = try endpoint.connect(
                to: address, serverName: configuration.serverName ?? configuration.host,
                configuration: quicConfiguration(attempt), tls: tls, observer: leg)
            leg.started(handle)
        } catch {
            failed(leg, error)
        }
    }

    private func endpoint(for address: SocketAddress) throws -> QUICEndpoint {
        let family = QUICAddressFamily(address) ?? .ipv4
        if let endpoint = endpoints[family] { return endpoint }
        let endpoint = try QUICEndpoint(eventLoop: eventLoop, family: family, logger: logger)
        endpoints[family] = endpoint
        return endpoint
    }

    private func quicConfiguration(_ attempt: Attempt) -> QUICConfiguration {
        var quic = QUICConfiguration(configuration)
        quic.handshakeTimeout = attempt.share
        // Above the MQTT keepalive, so that MQTT's own clock decides first.
        let patience = attempt.keepAlive.map { $0 * 3 / 2 + .seconds(10) } ?? .zero
        quic.idleTimeout = max(configuration.idleTimeout, patience)
        quic.initialMaxData = receiveWindow
        quic.initialMaxStreamData = receiveWindow
        return quic
    }
}

// MARK: - Outcomes

extension UplinkConnector {
    func succeeded(_ leg: QUICUplinkLeg, _ handle: QUICConnectionHandle) {
        attempts[ObjectIdentifier(leg)] = nil
        lastGoodFamily = handle.addressFamily
        if let failure = lastFailure {
            logger.notice("the broker can be reached again", metadata: ["leg": "uplink", "before": "\(failure)"])
            lastFailure = nil
        }
        gate.succeeded()
        retry?.cancel()
        retry = nil
        let released = waiters
        waiters.removeAll()
        for (leg, keepAlive) in released where leg.isWaiting { ask(for: leg, keepAlive: keepAlive) }
    }

    /// One address did not work: the next, or the end of the attempt.
    func failed(_ leg: QUICUplinkLeg, _ error: any Error) {
        let key = ObjectIdentifier(leg)
        attempts[key]?.lastError = "\(error)"
        if let attempt = attempts[key], !attempt.addresses.isEmpty { return tryNext(leg) }
        failed(leg, "\(error)")
    }

    private func failed(_ leg: QUICUplinkLeg, _ why: String) {
        attempts[ObjectIdentifier(leg)] = nil
        if lastFailure == nil {
            logger.warning("the broker cannot be reached", metadata: ["leg": "uplink", "error": "\(why)"])
        }
        lastFailure = why
        let now = NIODeadline.now()
        gate.failed(at: now, jitter: .random(in: 0...1))
        leg.unreachable(why)
        wakeWaiters(at: now)
    }

    /// The broker said that it has too much to do: the next attempts are spread like those after a failure.
    func brokerIsBusy() {
        gate.failed(at: .now(), jitter: .random(in: 0...1))
    }

    /// The device left before the attempt had an outcome.
    func abandoned(_ leg: QUICUplinkLeg) {
        attempts[ObjectIdentifier(leg)] = nil
        lookup?.removeAll { $0.leg === leg }
        if let index = waiters.firstIndex(where: { $0.leg === leg }) {
            waiters.remove(at: index)
            return
        }
        let now = NIODeadline.now()
        gate.abandoned(at: now)
        wakeWaiters(at: now)
    }

    private func wakeWaiters(at now: NIODeadline) {
        guard !waiters.isEmpty else { return }
        letNextTry()
    }
}
