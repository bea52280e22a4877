import BridgeCore
import NIOCore
import QUICTransport

/// Has the clients of one event loop go elsewhere, one after the other, so that the other server is not asked for all of
/// their handshakes and sessions in the same moment. Until its turn, a client's connection works as before.
final class ServeExodus {
    /// Those whose turn has not come.
    private var waiting: [ServedConnection]
    private let pace: ExodusPace
    private let timer: Timer

    init(of connections: [ServedConnection], _ pace: ExodusPace, on eventLoop: any EventLoop) {
        waiting = connections
        self.pace = pace
        timer = Timer(on: eventLoop)
    }

    func nextTurn() {
        let leaving = waiting.suffix(pace.atOnce)
        waiting.removeLast(leaving.count)
        // One that has left in the meantime is told nothing.
        for connection in leaving { connection.shutDown(ServeCode.goElsewhere) }
        guard !waiting.isEmpty else { return }
        timer.arm(in: TimeAmount(pace.interval)) { [weak self] in self?.nextTurn() }
    }

    func end() {
        timer.cancel()
        waiting = []
    }
}
