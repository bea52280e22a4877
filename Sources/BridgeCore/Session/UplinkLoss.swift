/// Why an uplink leg ended, if not by the broker's FIN.
package enum UplinkLoss: Sendable, Equatable {
    /// The broker decided it: application code 1, `0x300` plus an MQTT reason code, or a reset of the stream.
    ///
    /// The reason code is the one of the draft's `0x300` range ("MQTT over QUIC", section on error codes); `nil` for
    /// the rest.
    case byBroker(reasonCode: UInt8?, description: String)
    /// The broker closed the connection without an error (application code 0), and had said nothing about the session
    /// on its stream. EMQX does so when it is stopped or restarts its listener; a client that it kicks or that is taken
    /// over is told on the stream first.
    case closed(description: String)
    /// The broker reset a data stream before anything came on it. A broker that has no data streams does so with each.
    case dataStreamRefused(description: String)
    /// The network failed (idle timeout, stateless reset, transport error), or the broker said that it is busy.
    case network(description: String)

    package var description: String {
        switch self {
        case .byBroker(_, let description), .closed(let description), .dataStreamRefused(let description),
            .network(let description):
            description
        }
    }
}
