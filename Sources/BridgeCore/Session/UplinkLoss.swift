/// Why an uplink leg ended other than by the broker's FIN.
package enum UplinkLoss: Sendable, Equatable {
    /// The broker's decision: application code 0 or 1, `0x300` + MQTT reason code, or a reset of the stream.
    ///
    /// The reason code is the one of the draft's `0x300` range ("MQTT over QUIC", section on error codes), else `nil`.
    case byBroker(reasonCode: UInt8?, description: String)
    /// The network's: idle timeout, stateless reset, transport errors; or the broker's word that it is busy.
    case network(description: String)

    package var description: String {
        switch self {
        case .byBroker(_, let description), .network(let description): description
        }
    }
}
