import BridgeCore
import NIOCore
import Synchronization

/// One ``BrokerPulse`` per address of the broker that has sessions, shared by all event loops. The lock is held
/// briefly, once per session that begins or ends.
final class BrokerPulses: Sendable {
    private let pulses = Mutex<[SocketAddress: BrokerPulse]>([:])

    func joined(_ broker: SocketAddress) {
        change(broker) { $0.joined() }
    }

    func left(_ broker: SocketAddress) {
        change(broker) { $0.left() }
    }

    func explained(_ broker: SocketAddress) {
        let now = NIODeadline.now()
        change(broker) { $0.explained(at: now) }
    }

    func ended(_ broker: SocketAddress) -> BrokerPulse.Verdict {
        let now = NIODeadline.now()
        return change(broker) { $0.ended(at: now) }
    }

    func judge(_ wave: Int, of broker: SocketAddress) -> BrokerPulse.Verdict {
        let now = NIODeadline.now()
        return change(broker) { $0.judge(wave, at: now) }
    }

    func looked(_ wave: Int, of broker: SocketAddress, isThere: Bool) {
        let now = NIODeadline.now()
        change(broker) { $0.looked(wave, isThere: isThere, at: now) }
    }

    func forget(_ wave: Int, of broker: SocketAddress) {
        change(broker) { $0.forget(wave) }
    }

    private func change<Result: Sendable>(
        _ broker: SocketAddress, _ body: (inout BrokerPulse) -> Result
    ) -> Result {
        pulses.withLock { pulses in
            var pulse = pulses[broker] ?? BrokerPulse()
            defer { pulses[broker] = pulse.isIdle ? nil : pulse }
            return body(&pulse)
        }
    }
}
