import NIOCore
import QUICTransport

/// Watches the path of one QUIC connection: notices when nothing comes back, asks then whether the broker answers at
/// all, and has the connection send again as soon as it does. If the broker answers, but not on this connection, the
/// connection is dead.
///
/// There is a timer only while something waits for an answer.
final class LinkPath {
    private let handle: QUICConnectionHandle
    private let sockets: LinkSockets
    private let timer: Timer
    private var watch = PathWatch(timeout: nil)
    private var pace = ScoutPace()
    private let died: () -> Void

    /// - Parameter died: Called when the connection will not come back.
    init(_ handle: QUICConnectionHandle, sockets: LinkSockets, on eventLoop: any EventLoop, died: @escaping () -> Void)
    {
        self.handle = handle
        self.sockets = sockets
        self.timer = Timer(on: eventLoop)
        self.died = died
    }

    /// Something was sent that the broker has to answer.
    func awaitsAnswer() {
        arm()
    }

    /// Something came while the path was silent.
    func received() {
        look(at: .now())
    }

    /// The broker is there, though nothing has come on this connection.
    func serverAnswered(at address: SocketAddress) {
        let now = NIODeadline.now()
        guard address == handle.remoteAddress else { return }
        _ = pace.answered(at: now)
        if watch.serverAnswered(at: now) { handle.hurry() }
        if watch.isHurried { arm() }
    }

    func stop() {
        timer.cancel()
    }

    private func arm() {
        let pause = watch.isHurried ? TimeAmount(PathWatch.attemptPause) : ScoutPace.interval
        timer.arm(by: .now() + pause) { [weak self] in self?.tick(at: .now()) }
    }

    private func tick(at now: NIODeadline) {
        guard look(at: now) else { return }
        if watch.isSilent {
            if pace.isDue(at: now) { sockets.probe(handle.remoteAddress, at: now) }
        } else {
            pace.stop()
        }
        let isWatched = watch.isSilent || handle.unansweredSince != nil
        handle.isAwaited = isWatched
        if isWatched { arm() }
    }

    /// Returns `false` if the connection is dead.
    @discardableResult
    private func look(at now: NIODeadline) -> Bool {
        let facts = PathWatch.Facts(
            unansweredSince: handle.unansweredSince, lastReceived: handle.lastReceived,
            lastSent: handle.lastSent, probeTimeout: handle.probeTimeout)
        switch watch.look(facts, at: now) {
        case .nothing: break
        case .silent: handle.isSilent = true
        case .again: handle.hurry()
        case .answered: handle.isSilent = false
        case .dead:
            died()
            return false
        }
        return true
    }
}
