import Logging
import NIOCore
import QUICTransport
import Synchronization

/// Knows for all event loops which addresses of the broker are silent, so that this is logged once and not once per
/// loop. It is used when a path becomes silent, never once per device.
final class PathNews: Sendable {
    /// A broker's name has few addresses at a time, but they change. The address that has been silent for longest is
    /// dropped.
    private static let capacity = 64

    private let silent = Mutex<[SocketAddress: NIODeadline]>([:])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// The addresses that are silent now, and when that was noticed.
    var silentAddresses: [SocketAddress: NIODeadline] { silent.withLock { $0 } }

    /// A connection to this address has become silent.
    func silent(_ address: SocketAddress) {
        let isNews = silent.withLock { silent in
            guard silent[address] == nil else { return false }
            if silent.count >= Self.capacity, let oldest = silent.min(by: { $0.value < $1.value }) {
                silent[oldest.key] = nil
            }
            silent[address] = .now()
            return true
        }
        guard isNews else { return }
        logger.warning(
            "the broker has fallen silent and is being probed",
            metadata: ["address": "\(address.hostAndPort)", "leg": "uplink"])
    }

    /// The address has answered.
    func answered(_ address: SocketAddress) {
        guard let since = silent.withLock({ $0.removeValue(forKey: address) }) else { return }
        let seconds = Double((NIODeadline.now() - since).nanoseconds) / 1e9
        logger.notice(
            "the broker answers again",
            metadata: [
                "address": "\(address.hostAndPort)", "after": "\((seconds * 10).rounded() / 10) s", "leg": "uplink",
            ])
    }
}
