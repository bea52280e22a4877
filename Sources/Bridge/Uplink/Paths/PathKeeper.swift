import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// Something with devices that wait for the broker without a connection.
protocol PathAwaiter: AnyObject {
    var awaitsPath: Bool { get }
    /// A broker answers that did not answer before, so now is the time to try.
    func pathAnswered(_ endpoint: UplinkEndpoint?)
}

/// Sends a probe to an address. `PathKeeper` is told of the answer.
protocol PathProber: AnyObject {
    func probe(_ address: SocketAddress)
}

/// Watches the paths of the QUIC connections of one event loop: notices which have become silent, probes the broker for
/// them, and wakes them all at its first answer.
///
/// There is one timer for all of them. It runs while something waits for an answer, and looks only at connections that
/// do.
final class PathKeeper {
    /// How many addresses of the broker are probed while there is no connection: those that worked or were tried last.
    private static let addressCapacity = 4
    /// How many connections are hurried at once: each may send one or two datagrams.
    private static let hurriedAtOnce = 256
    private static let hurryPause = TimeAmount.milliseconds(5)
    /// The time between two rounds in which all connections are hurried: when many return, each brings news of the
    /// broker.
    private static let hurryInterval = TimeAmount.milliseconds(100)

    private let eventLoop: any EventLoop
    private let news: PathNews
    weak var prober: (any PathProber)?
    /// Connections with something unanswered, and silent ones.
    private var watched: [QUICCarrier] = []
    /// The addresses of connections that have become silent since the last look.
    private var newlySilent: Set<SocketAddress> = []
    /// One per address that is awaited, or was awaited within the last minute.
    private var scouts: [SocketAddress: Scout] = [:]
    /// Addresses of the broker, with the latest one first.
    private var addresses: [(address: SocketAddress, endpoint: UplinkEndpoint)] = []
    private var awaiters: [Weak] = []
    private let tick: Timer
    /// Whether devices wait without a connection.
    private var isAwaited = false
    private var isShutDown = false

    private struct Scout {
        var pace = ScoutPace()
        /// Whether the silent connections are being hurried.
        var isHurrying = false
        var mayHurryAgain = NIODeadline.distantPast
    }

    private struct Weak {
        weak var awaiter: (any PathAwaiter)?
    }

    init(eventLoop: any EventLoop, news: PathNews) {
        self.eventLoop = eventLoop
        self.tick = Timer(on: eventLoop)
        self.news = news
    }

    func shutDown() {
        isShutDown = true
        tick.cancel()
        watched = []
        awaiters = []
    }

    /// Tells the awaiter about answers while it waits. This does not keep it alive.
    func add(_ awaiter: any PathAwaiter) {
        awaiters.removeAll { $0.awaiter == nil }
        awaiters.append(Weak(awaiter: awaiter))
    }

    /// Devices have begun to wait without a connection, or still do.
    func wake() {
        guard !isAwaited else { return }
        isAwaited = true
        arm(in: .zero)
    }

    /// Looks at the connection regularly until nothing on it is unanswered.
    func watch(_ connection: QUICCarrier) {
        watched.append(connection)
        arm(in: ScoutPace.interval)
    }

    /// A connection to this address has become silent. The address has, too, unless others are heard there.
    func fellSilent(_ address: SocketAddress) {
        newlySilent.insert(address)
    }

    /// The addresses that are silent, as all event loops know them, and since when.
    var silentAddresses: [SocketAddress: NIODeadline] { news.silentAddresses }

    /// A connection to this address was begun.
    func tried(_ address: SocketAddress, of endpoint: UplinkEndpoint) {
        guard addresses.first?.address != address else { return }
        addresses.removeAll { $0.address == address }
        addresses.insert((address, endpoint), at: 0)
        if addresses.count > Self.addressCapacity { addresses.removeLast() }
    }
}

// MARK: - Time

extension PathKeeper {
    private func arm(in delay: TimeAmount) {
        guard !isShutDown else { return }
        tick.arm(by: .now() + delay) { [weak self] in self?.look(at: .now()) }
    }

    private func look(at now: NIODeadline) {
        let round = watched
        watched = []
        var silent: Set<SocketAddress> = []
        var isHurried = false
        var again: [QUICCarrier] = []
        for connection in round {
            let look = connection.lookAtPath(at: now)
            if look.isWatched { watched.append(connection) }
            if look.isHurried { isHurried = true }
            if look.isToSendAgain { again.append(connection) }
            if look.awaitsServer, let remote = look.remote { silent.insert(remote) }
        }
        sendAgain(again[...])
        let heard = heard(among: silent, in: round, at: now)
        for address in newlySilent.subtracting(heard) { news.silent(address) }
        // Those whose other connections are heard now may be silent as a whole later.
        newlySilent.formIntersection(heard)
        for address in heard { answered(address, at: now) }
        scout(silent, at: now)
        guard !watched.isEmpty || isAwaited else { return }
        arm(in: isHurried ? TimeAmount(PathWatch.attemptPause) : ScoutPace.interval)
    }

    private func sendAgain(_ connections: ArraySlice<QUICCarrier>) {
        for connection in connections.prefix(Self.hurriedAtOnce) { connection.hurry() }
        let rest = connections.dropFirst(Self.hurriedAtOnce)
        guard !rest.isEmpty, !isShutDown else { return }
        Timer.once(in: Self.hurryPause, on: eventLoop) { [weak self] in self?.sendAgain(rest) }
    }

    /// Which of the addresses others have just been heard from. If probes of an unknown version are dropped on the way,
    /// this still shows that the server is there.
    private func heard(among silent: Set<SocketAddress>, in round: [QUICCarrier], at now: NIODeadline)
        -> Set<SocketAddress>
    {
        guard !silent.isEmpty else { return [] }
        var heard: Set<SocketAddress> = []
        for connection in round where !connection.awaitsServer {
            guard let handle = connection.openHandle, handle.lastReceived > now - ScoutPace.interval,
                silent.contains(handle.remoteAddress)
            else { continue }
            heard.insert(handle.remoteAddress)
        }
        return heard
    }

    private func scout(_ silent: Set<SocketAddress>, at now: NIODeadline) {
        var wanted = silent
        isAwaited = awaiters.contains { $0.awaiter?.awaitsPath == true }
        if isAwaited { wanted.formUnion(addresses.map(\.address)) }
        for address in wanted {
            if scouts[address, default: Scout()].pace.isDue(at: now) { prober?.probe(address) }
        }
        for address in scouts.keys where !wanted.contains(address) { scouts[address]?.pace.stop() }
        scouts = scouts.filter { !$0.value.pace.isForgettable(at: now) }
    }
}

// MARK: - Answers

extension PathKeeper: QUICProbeObserver {
    func endpoint(_ endpoint: QUICEndpoint, hasAnswerFrom remote: SocketAddress) {
        answered(remote, at: .now())
    }

    /// The server answered a probe, or on a connection.
    func answered(_ address: SocketAddress, at now: NIODeadline) {
        let isNews = scouts[address]?.pace.answered(at: now) ?? false
        news.answered(address)
        hurry(address, at: now)
        guard isNews else { return }
        let endpoint = addresses.first { $0.address == address }?.endpoint
        for awaiter in awaiters where awaiter.awaiter?.awaitsPath == true { awaiter.awaiter?.pathAnswered(endpoint) }
    }

    private func hurry(_ address: SocketAddress, at now: NIODeadline) {
        guard let scout = scouts[address], !scout.isHurrying, scout.mayHurryAgain <= now else { return }
        let silent = watched.filter { $0.awaitsServer && $0.remoteAddress == address }
        guard !silent.isEmpty else { return }
        scouts[address]?.isHurrying = true
        scouts[address]?.mayHurryAgain = now + Self.hurryInterval
        hurry(silent[...], address)
    }

    private func hurry(_ silent: ArraySlice<QUICCarrier>, _ address: SocketAddress) {
        let now = NIODeadline.now()
        for connection in silent.prefix(Self.hurriedAtOnce) { connection.serverAnswered(at: now) }
        arm(in: TimeAmount(PathWatch.attemptPause))
        let rest = silent.dropFirst(Self.hurriedAtOnce)
        guard !rest.isEmpty, !isShutDown else {
            scouts[address]?.isHurrying = false
            return
        }
        Timer.once(in: Self.hurryPause, on: eventLoop) { [weak self] in
            self?.hurry(rest, address)
        }
    }
}
