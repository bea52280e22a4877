import CNGTCP2

/// What a peer announced about itself in the handshake (RFC 9000 18.2). Parameters that it left out have their defaults.
package struct QUICTransportParameters: Sendable, Equatable {
    /// `max_idle_timeout`; zero if the peer has none.
    package var idleTimeout: Duration
    /// `max_udp_payload_size`: the largest UDP payload that the peer takes, in bytes.
    package var maxUDPPayloadSize: UInt64
    /// `initial_max_data`: how many bytes may be sent on all streams together before the peer grants more.
    package var initialMaxData: UInt64
    /// `initial_max_stream_data_bidi_local`: the same for a stream that the peer opens.
    package var initialMaxStreamDataBidiLocal: UInt64
    /// `initial_max_stream_data_bidi_remote`: the same for a stream that this side opens.
    package var initialMaxStreamDataBidiRemote: UInt64
    /// `initial_max_stream_data_uni`, for streams of one direction.
    package var initialMaxStreamDataUni: UInt64
    /// `initial_max_streams_bidi`: how many bidirectional streams this side may open at first.
    package var initialMaxStreamsBidi: UInt64
    /// `initial_max_streams_uni`: how many streams of one direction this side may open at first.
    package var initialMaxStreamsUni: UInt64
    /// `ack_delay_exponent`: acknowledgement delays are in units of two to the power of this, in microseconds.
    package var ackDelayExponent: UInt64
    /// `max_ack_delay`: the longest time until the peer acknowledges a packet.
    package var maxAckDelay: Duration
    /// `active_connection_id_limit`: how many of this side's connection IDs the peer keeps.
    package var activeConnectionIDLimit: UInt64
    /// `max_datagram_frame_size` (RFC 9221), in bytes; 0 if the peer takes no DATAGRAM frames.
    package var maxDatagramFrameSize: UInt64
    /// `disable_active_migration`: whether this side must stay at its address.
    package var disablesActiveMigration: Bool
    /// `preferred_address`: whether the peer asks to be reached at another address.
    package var hasPreferredAddress: Bool
    /// `grease_quic_bit` (RFC 9287).
    package var greasesQUICBit: Bool

    init(_ parameters: bridge_quic_parameters) {
        idleTimeout = .nanoseconds(Int64(clamping: parameters.max_idle_timeout))
        maxUDPPayloadSize = parameters.max_udp_payload_size
        initialMaxData = parameters.max_data
        initialMaxStreamDataBidiLocal = parameters.max_stream_data_bidi_local
        initialMaxStreamDataBidiRemote = parameters.max_stream_data_bidi_remote
        initialMaxStreamDataUni = parameters.max_stream_data_uni
        initialMaxStreamsBidi = parameters.max_streams_bidi
        initialMaxStreamsUni = parameters.max_streams_uni
        ackDelayExponent = parameters.ack_delay_exponent
        maxAckDelay = .nanoseconds(Int64(clamping: parameters.max_ack_delay))
        activeConnectionIDLimit = parameters.active_connection_id_limit
        maxDatagramFrameSize = parameters.max_datagram_frame_size
        disablesActiveMigration = parameters.disables_active_migration
        hasPreferredAddress = parameters.has_preferred_address
        greasesQUICBit = parameters.greases_quic_bit
    }
}

extension QUICConnection {
    /// The peer's transport parameters; `nil` before the handshake has brought them.
    package var peerParameters: QUICTransportParameters? {
        var parameters = bridge_quic_parameters()
        return bridge_quic_peer_parameters(handle, &parameters) ? QUICTransportParameters(parameters) : nil
    }
}
