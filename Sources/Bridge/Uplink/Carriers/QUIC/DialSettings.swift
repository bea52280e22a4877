import BridgeCore
import QUICTransport

/// What decides how a QUIC connection to the broker is made. One object for all connections of an event loop, until the
/// configuration changes.
final class DialSettings: Sendable {
    let uplink: UplinkConfiguration
    let tls: QUICTLSContext
    let tickets: TicketStore
    /// Bytes that the broker may send a device before the device has taken any.
    let receiveWindow: Int
    /// See ``LimitsConfiguration/creditStep``.
    let creditStep: Int

    init(_ configuration: BridgeConfiguration, tls: QUICTLSContext, tickets: TicketStore) {
        self.uplink = configuration.uplink
        self.tls = tls
        self.tickets = tickets
        self.receiveWindow = configuration.limits.sessionBuffer
        self.creditStep = configuration.limits.creditStep
    }
}
