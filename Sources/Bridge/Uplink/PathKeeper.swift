import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// Who waits for a way to the broker without having a connection.
protocol PathAwaiter: AnyObject {
    var awaitsPath: Bool { get }
    /// A broker answers that did not before: now is the time to try.
    func pathAnswered(_ endpoint: UplinkEndpoint?)
}

/// Sends a probe to an address; `PathKeeper` hears of the answer.
protocol PathProber: AnyObject {
    func probe(_ address: SocketAddress)
}

/// Looks after the paths of the QUIC connections of one event loop: notices which have fallen silent, probes the broker
/// for them, and wakes them all at its first answer.
///
/// One timer for all: it runs while something waits for an answer, and costs a look at each connection that does.
final class PathKeeper {
    /// Addresses of the broker that are probed while nobody has a connection: those that worked or were tried last.
    private static let addressCapacity = 4
    /// Connections that are hurried in one go: each may send a datagram or two at once.
    private static let hurriedAtOnce = 256
    private static let hurryPause = TimeAmount.milliseconds(5)
    /// Between two times that all are: where many return, each of them brings word of the broker.
    private static let hurryInterval = TimeAmount.milliseconds(100)

    private let eventLoop: any EventLoop
    private let news: PathNews
    weak var prober: (any PathProber)?
    /// Those with something unanswered, and those that are silent.
    private var watched: [UplinkConnection] = []
    /// One for each address that somebody waits for, or did within the last minute.
    private var scouts: [SocketAddress: Scout] = [:]
    /// The last one first.
    private var addresses: [(address: SocketAddress, endpoint: UplinkEndpoint)] = []
    private var awaiters: [Weak] = []
    private let tick: Timer
    /// Somebody waits who has no connection.
    private var isAwaited = false
    private var isShutDown = false

    private struct Scout {
        var pace = ScoutPace()
        /// Word is being sent to the silent connections.
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

    /// To be told of answers while it waits. It is not kept alive.
    func add(_ awaiter: any PathAwaiter) {
        awaiters.removeAll { $0.awaiter == nil }
        awaiters.append(Weak(awaiter: awaiter))
    }

    /// Somebody has begun to wait, or still does.
    func wake() {
        guard !isAwaited else { return }
        isAwaited = true
        arm(in: .zero)
    }

    /// Has a look at the connection until nothing on it is unanswered.
    func watch(_ connection: UplinkConnection) {
        watched.append(connection)
        arm(in: ScoutPace.interval)
    }

    /// A connection to this address has fallen silent.
    func fellSilent(_ address: SocketAddress) {
        news.silent(address)
    }

    /// A connection was begun to this address.
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
        var heard: Set<SocketAddress> = []
        for connection in round {
            let look = connection.lookAtPath(at: now)
            if look.isWatched { watched.append(connection) }
            guard let remote = look.remote else { continue }
            if look.awaitsServer {
                silent.insert(remote)
            } else if !scouts.isEmpty, look.lastReceived > now - ScoutPace.interval {
                // Where probes of an unknown version are swallowed on the way, the other connections tell.
                heard.insert(remote)
            }
        }
        for address in heard.intersection(silent) { answered(address, at: now) }
        scout(silent, at: now)
        if !watched.isEmpty || isAwaited { arm(in: ScoutPace.interval) }
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

    /// The server answered: a probe, or somebody on a connection.
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

    private func hurry(_ silent: ArraySlice<UplinkConnection>, _ address: SocketAddress) {
        let now = NIODeadline.now()
        for connection in silent.prefix(Self.hurriedAtOnce) { connection.serverAnswered(at: now) }
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
