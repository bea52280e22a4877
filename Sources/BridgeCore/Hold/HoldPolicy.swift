import MQTTCodec
import NIOCore

/// How a session outlives its uplink leg, and from which budget.
package final class HoldPolicy: Sendable {
    /// For how long a session is held, and what is kept for it.
    package let configuration: HoldConfiguration
    /// The memory that all held sessions may use together.
    package let budget: HoldBudget
    /// The time, which decides which messages are too old.
    let now: @Sendable () -> NIODeadline

    package init(
        _ configuration: HoldConfiguration, budget: HoldBudget, now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.configuration = configuration
        self.budget = budget
        self.now = now
    }

    /// When a packet that has come now is of no use any more, which only a message can say (MQTT 5 3.3.2.3.3). Some
    /// brokers take an interval of 0 for none, so that is left to the broker.
    func expiry(of packet: ByteBuffer, _ version: MQTTVersion) -> NIODeadline {
        guard version.hasProperties, let field = MessageExpiryField(in: packet), field.interval > 0 else {
            return .distantFuture
        }
        return now() + .seconds(Int64(field.interval))
    }
}
