import NIOCore

/// Decides how the devices of one event loop reach the broker: it knows the place of every uplink leg and the role of
/// every connection, QUIC or TLS, and answers events with actions. It does nothing itself; `UplinkDriver` does.
///
/// ```
/// A leg:
///   inLine ──▶ dialing ──(its CONNECT went out as early data)──▶ early
///     ▲  │        │ ready                                          │ ready
///     │  │        ▼                                                ▼
///     │  └────▶ open ◀──(the broker allows a stream)── awaitingStream
///     └── the connection failed, or was dead before anything came on the leg
///
/// A connection:
///   dialing ──▶ single, for one device              stocking ──▶ warm ──▶ single
///       └─────▶ shared ──(a better way)──▶ leaving         └───▶ shared
///                                                     probing ──▶ (closed)
/// ```
/// Legs wait in one line, in the order in which they came. The first one goes as soon as a shared connection has room
/// or a connection may be made, which the ``UpstreamGate`` decides for all event loops together. The session decides
/// how long its device waits.
///
/// CONNECT is never on two ways: a leg changes to another way only before it has sent anything (`inLine`, `dialing`,
/// `awaitingStream`), or after the connection that carried its CONNECT is closed.
///
/// Events come in by methods. ``nextAction(at:seeing:)`` then returns what to do, one action at a time, because each
/// action may change the next one.
package struct UplinkPlan {
    struct Leg {
        var place: LegPlace
        /// The MQTT keepalive of its device.
        let keepAlive: Duration?
    }

    let configuration: UplinkConfiguration
    let purpose: UplinkPurpose
    let gate: any UpstreamGate
    /// This plan's identifier at the gate.
    let waker: Int
    /// How many connections are kept ready ahead of time; 0 if the broker shows each connection to its operator.
    let stockTarget: Int
    let jitter: @Sendable () -> Double

    var legs: [UplinkLegID: Leg] = [:]
    var connections: [UplinkConnectionID: Connection] = [:]
    private var lastID = 0
    /// Bounded by `limits.devices`, as each device has one leg.
    var line = WaitingLine<UplinkLegID, UplinkLegID>()
    /// Connections that are being made for devices.
    var dialing: Set<UplinkConnectionID> = []
    /// How many connections in ``dialing`` have no device that waits for them.
    var unclaimedDials = 0
    /// Connections with the role ``ConnectionRole/shared``, in the order in which they were made: devices go to the oldest
    /// with room, so that the others can run empty and be closed.
    var shared: [UplinkConnectionID] = []
    var stock: Stock
    var probes = Probes()
    /// The mapping in use; `auto` until the server has chosen.
    var mapping: UplinkConfiguration.Mapping
    /// The way in use when the plan last looked.
    var knownWay: UplinkWay
    /// Whether a connection was lost or could not be made, and none has been made since.
    var isDisturbed = false
    var isShutDown = false
    /// Whether another plan makes the connections now.
    package internal(set) var isDraining = false

    /// Actions that are already decided. They are performed before anything else is decided.
    var pending = CircularBuffer<UplinkAction>()
    /// Whether the first leg in the line may be able to go.
    var isLineDue = false
    /// Whether the next shared connection may be needed.
    var isReserveDue = false
    /// When the first leg in the line asks again; `nil` if it waits for an event.
    var lineRetryAt: NIODeadline?
    /// No shared connection has been empty for the idle timeout before this time.
    var nextIdleCheck: NIODeadline?

    /// - Parameters:
    ///   - waker: This plan's identifier at the gate.
    ///   - stockTarget: How many connections are kept ready ahead of time, where devices have one each.
    ///   - jitter: Makes random numbers from 0 to 1.
    package init(
        _ purpose: UplinkPurpose, _ configuration: UplinkConfiguration, gate: any UpstreamGate, waker: Int,
        stockTarget: Int = 0, jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.purpose = purpose
        self.configuration = configuration
        self.gate = gate
        self.waker = waker
        self.stockTarget = stockTarget
        self.jitter = jitter
        self.mapping = configuration.mapping
        self.knownWay = gate.chosen
        self.stock = Stock(
            gate: ReconnectGate(minimum: configuration.backoffMinimum, maximum: configuration.backoffMaximum))
    }

    /// Whether the plan has no legs and no connections.
    package var isEmpty: Bool { legs.isEmpty && connections.isEmpty && line.isEmpty }

    /// How many connections are ready for devices that have not come yet, where devices have one each.
    package var warmCount: Int { stock.connections.count }

    /// An identifier for a leg, to be used once.
    package mutating func makeLegID() -> UplinkLegID {
        lastID += 1
        return UplinkLegID(rawValue: lastID)
    }

    mutating func makeConnectionID() -> UplinkConnectionID {
        lastID += 1
        return UplinkConnectionID(rawValue: lastID)
    }

    /// Something has happened after which the first leg in the line may go, or a connection may have to be made ahead
    /// of time.
    mutating func reconsider() {
        isLineDue = true
        isReserveDue = true
        stock.isDue = true
    }
}

// MARK: - Actions

extension UplinkPlan {
    /// The next thing to do; `nil` if there is nothing until an event or ``deadline``.
    package mutating func nextAction(at now: NIODeadline, seeing view: some UplinkConnectionsView) -> UplinkAction? {
        if let action = pending.popFirst() { return action }
        guard !isShutDown, !isDraining else { return nil }
        noticeTime(now)
        return lineStep(at: now, seeing: view) ?? reserveStep(at: now, seeing: view) ?? stockStep(at: now)
            ?? probeStep(at: now) ?? idleStep(at: now, seeing: view) ?? pending.popFirst()
    }

    /// When to call ``nextAction(at:seeing:)`` again at the latest; `nil` if only an event makes that necessary.
    package var deadline: NIODeadline? {
        guard !isShutDown, !isDraining else { return nil }
        return [lineRetryAt, stock.retryAt, probes.nextAt, nextIdleCheck].compactMap { $0 }.min()
    }

    private mutating func noticeTime(_ now: NIODeadline) {
        if let time = lineRetryAt, time <= now { isLineDue = true }
        if let time = stock.retryAt, time <= now { stock.isDue = true }
        if let time = probes.nextAt, time <= now { probes.isDue = true }
    }

    /// Devices may come now, so connections are made ahead of them.
    package mutating func devicesMayCome() {
        stock.isDue = true
    }

    /// Ends the gateway's sessions and everything that is under way. All legs are closed or about to be.
    package mutating func shutDown(at now: NIODeadline) {
        isShutDown = true
        stopProbing(at: now)
        for (id, connection) in connections.sorted(by: { $0.key < $1.key }) {
            switch connection.role {
            case .dialing(let permit, _), .stocking(let permit):
                gate.abandoned(permit, at: now)
                pending.append(.close(id))
            case .warm, .probing:
                pending.append(.close(id))
            case .shared, .leaving:
                pending.append(.retire(id))
            // The end of its leg closes it.
            case .single:
                continue
            }
            connections[id] = nil
        }
        dialing = []
        unclaimedDials = 0
        shared = []
        stock.connections = []
        stock.dial = nil
    }

    /// Closes what is still there.
    package mutating func close() {
        pending.append(contentsOf: connections.keys.sorted().map { .close($0) })
        connections = [:]
    }
}
