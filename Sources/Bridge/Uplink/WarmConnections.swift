import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// Whom connections are made for ahead of time.
protocol WarmConnectionsOwner: AnyObject {
    /// Where new connections go; nil while they go no way on which one could wait.
    var warmEndpoint: UplinkEndpoint? { get }
    /// Devices share what comes of it.
    var isWarmShared: Bool { get }
    /// How many there should be, of a share of so many.
    func warmTarget(share: Int) -> Int
    /// Leave for a handshake with that endpoint.
    func mayWarm(_ endpoint: UplinkEndpoint) -> Upstream.Decision
    /// The attempt is given up.
    func warmingAbandoned(_ attempt: Upstream.Attempt)
    /// A handshake has completed. False where the connection is the owner's from now on, as devices share it.
    func keepsWarm(_ connection: UplinkConnection, _ attempt: Upstream.Attempt) -> Bool
    /// The stock has changed: who waits may go on.
    func warmChanged()
    func warmingFailed(_ attempt: Upstream.Attempt, _ end: UplinkConnectionEnd)
}

/// Connections of one event loop whose handshake is finished ahead of time: a device's CONNECT goes out on one at once,
/// and is answered after one round trip, with no early data that anybody could send again.
///
/// EMQX starts its clock for CONNECT when the first stream comes: until then QUIC's keep-alive holds them. What a server
/// closes all the same costs a handshake, and ever fewer of them.
final class WarmConnections {
    /// Replaced after that time, so that what a device gets is known to work.
    private static let renewal = Duration.seconds(300)
    private static let shortestRenewal = Duration.seconds(5)
    /// Those of devices with longer ones are made when they come. Nearly all clients have 60 s or less.
    private static let longestKeepAlive = Duration.seconds(3_600)

    private let share: Int
    private let configuration: UplinkConfiguration
    private let dialer: UplinkDialer
    private let logger: Logger
    private unowned let owner: any WarmConnectionsOwner
    private var stock: WarmStock<ObjectIdentifier>
    private var ready: [ObjectIdentifier: UplinkConnection] = [:]
    private var dialed: (connection: UplinkConnection, attempt: Upstream.Attempt)?
    /// The longest that a device has had: they have to suit it.
    private var keepAlive = Duration.seconds(60)
    private let timer: Timer
    private var isFilling = false
    private var isClosed = false

    init(
        share: Int, configuration: UplinkConfiguration, dialer: UplinkDialer, logger: Logger,
        owner: any WarmConnectionsOwner
    ) {
        self.share = share
        self.configuration = configuration
        self.dialer = dialer
        self.timer = Timer(on: dialer.eventLoop)
        self.logger = logger
        self.owner = owner
        self.stock = WarmStock(
            backoffMinimum: configuration.backoffMinimum, backoffMaximum: configuration.backoffMaximum)
    }

    var isDialing: Bool { stock.isDialing }

    /// The oldest that a device of that keepalive can have. It is the caller's from now on.
    func take(for keepAlive: Duration?, owner: any UplinkConnectionOwner) -> UplinkConnection? {
        guard share > 0 else { return nil }
        if let keepAlive, keepAlive <= Self.longestKeepAlive { self.keepAlive = max(self.keepAlive, keepAlive) }
        guard let id = first(for: keepAlive), let connection = ready.removeValue(forKey: id) else { return nil }
        stock.took(id)
        connection.owner = owner
        fillLater()
        return connection
    }

    /// Whether there is one that such a device can have now.
    func hasOne(for keepAlive: Duration?) -> Bool { first(for: keepAlive) != nil }

    private func first(for keepAlive: Duration?) -> ObjectIdentifier? {
        guard !ready.isEmpty else { return nil }
        let endpoint = owner.warmEndpoint
        return stock.ids.first { id in
            guard let connection = ready[id] else { return false }
            return connection.endpoint == endpoint && connection.suits(keepAlive) && connection.isProven
        }
    }

    /// Others have reached the broker.
    func serverAnswered() {
        guard share > 0 else { return }
        stock.serverAnswered()
        fillLater()
    }

    /// One was dead when it was needed, and the others are no younger news.
    func distrust() {
        for (id, connection) in ready {
            stock.forget(id)
            connection.close()
        }
        ready.removeAll()
        fillLater()
    }

    /// Nobody wants them any more.
    func close() {
        isClosed = true
        timer.cancel()
        dialed?.connection.close()
        dialed = nil
        for connection in ready.values { connection.close() }
        ready.removeAll()
    }
}

// MARK: - The stock

extension WarmConnections {
    /// Makes what is missing, and lets go of what is too much.
    func fill() {
        guard share > 0, !isClosed, !isFilling else { return }
        isFilling = true
        defer { isFilling = false }
        let endpoint = owner.warmEndpoint
        forgetOthers(than: endpoint)
        while true {
            let wanted = endpoint == nil ? 0 : owner.warmTarget(share: share)
            switch stock.next(wanted: wanted, at: .now()) {
            case .dial:
                // With none wanted none is dialed.
                guard let endpoint else { return stock.abandoned(at: .now()) }
                switch owner.mayWarm(endpoint) {
                case .go(let attempt):
                    dial(to: endpoint, attempt)
                case .wait(let until):
                    stock.abandoned(at: .now())
                    return wait(until: until)
                }
            case .drop(let id):
                ready.removeValue(forKey: id)?.close()
            case .wait(let until):
                return wait(until: until)
            }
        }
    }

    /// Not from within what is going on.
    private func fillLater() {
        wait(until: .now())
    }

    private func wait(until deadline: NIODeadline?) {
        guard let deadline, !isClosed else { return }
        timer.arm(by: deadline) { [weak self] in self?.fill() }
    }

    private func dial(to endpoint: UplinkEndpoint, _ attempt: Upstream.Attempt) {
        // One that is shared is not to be thought alive for as long as some device is patient.
        let connection = dialer.dial(
            to: endpoint, within: configuration.handshakeTimeout, keepAlive: owner.isWarmShared ? nil : keepAlive,
            owner: self)
        dialed = (connection, attempt)
    }

    /// New connections go elsewhere.
    private func forgetOthers(than endpoint: UplinkEndpoint?) {
        if let (connection, attempt) = dialed, connection.endpoint != endpoint {
            dialed = nil
            stock.abandoned(at: .now())
            connection.close()
            owner.warmingAbandoned(attempt)
        }
        for (id, connection) in ready where connection.endpoint != endpoint {
            stock.forget(id)
            ready[id] = nil
            connection.close()
        }
    }

    /// Before the idle timeout, where the keep-alive does not hold it off.
    private func lifetime(of connection: UplinkConnection) -> TimeAmount {
        let idle = (connection.openHandle?.idleTimeout ?? .zero) * 0.8
        guard idle > .zero, idle < configuration.keepAlive else { return TimeAmount(Self.renewal) }
        return TimeAmount(max(idle, Self.shortestRenewal))
    }
}

extension WarmConnections: UplinkConnectionOwner {
    func connectionReady(_ connection: UplinkConnection) {
        guard let attempt = dialed?.attempt, dialed?.connection === connection else { return }
        dialed = nil
        guard owner.keepsWarm(connection, attempt) else {
            stock.turnedAway()
            return fillLater()
        }
        let id = ObjectIdentifier(connection)
        ready[id] = connection
        stock.ready(id, renewAfter: lifetime(of: connection), at: .now())
        owner.warmChanged()
        fillLater()
    }

    func connectionFailed(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        guard let attempt = dialed?.attempt, dialed?.connection === connection else { return }
        dialed = nil
        stock.failed(at: .now(), jitter: .random(in: 0...1))
        owner.warmingFailed(attempt, end)
        fillLater()
    }

    func connectionLost(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        let id = ObjectIdentifier(connection)
        guard ready.removeValue(forKey: id) != nil else { return }
        if connection.isPathSilent {
            // The network's doing, which says nothing of whether the server wants them.
            stock.forget(id)
        } else {
            _ = stock.lost(id, at: .now(), jitter: .random(in: 0...1))
        }
        logger.debug(
            "a connection made ahead of time has ended", metadata: ["leg": "uplink", "error": "\(end.why)"])
        fillLater()
    }

    func connectionHasRoom(_ connection: UplinkConnection) {}

    func connectionAbandoned(_ connection: UplinkConnection) {
        preconditionFailure("a connection made ahead of time has no device that could leave")
    }
}
