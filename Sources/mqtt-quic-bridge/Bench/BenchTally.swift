import Measurement
import Synchronization

/// What all devices of `bench` have counted so far. Its memory does not grow with the number of messages.
final class BenchTally: Sendable {
    struct Counts: Sendable {
        /// Devices with a connection.
        var connected = 0
        var connectFailures = 0
        /// Connections that were lost after CONNACK.
        var lost = 0
        var tlsConnections = 0
        /// Subscribers whose connection and subscription the broker has accepted.
        var subscribed = 0
        var sent = 0
        /// Acknowledged, or handed to the transport with QoS 0.
        var published = 0
        var publishFailures = 0
        /// Messages that had no acknowledgement when the run ended.
        var unanswered = 0
        /// Messages that were due and were never sent, because the connection was lost or the window stayed full.
        var unsent = 0
        /// Messages that were not sent in time, because as many as allowed waited for their acknowledgement.
        var late = 0
        var received = 0
        var bytesSent = 0
        var bytesReceived = 0
        var connect = LatencyHistogram()
        var publish = LatencyHistogram()
        var endToEnd = LatencyHistogram()
        /// How late this program itself was with messages that nothing held up.
        var lag = LatencyHistogram()
        /// How often each error came. Bounded by ``errorKinds``.
        var errors: [String: Int] = [:]

        mutating func note(_ error: String) {
            let isKnown = errors[error] != nil || errors.count < BenchTally.errorKinds
            errors[isKnown ? error : BenchTally.otherErrors, default: 0] += 1
        }
    }

    /// How many kinds of errors are told apart.
    static let errorKinds = 16
    static let otherErrors = "other errors"

    private let counts = Mutex(Counts())

    var current: Counts { counts.withLock { $0 } }

    func count(_ body: (inout Counts) -> Void) {
        counts.withLock { body(&$0) }
    }
}
