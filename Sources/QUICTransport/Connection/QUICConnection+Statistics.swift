import CNGTCP2

extension QUICConnection {
    /// What has been sent and received since the connection began.
    struct Counters {
        /// Bytes of UDP payload.
        var bytesSent: UInt64 = 0
        /// Bytes of UDP payload.
        var bytesReceived: UInt64 = 0
        var datagramsSent: UInt64 = 0
        var datagramsReceived: UInt64 = 0
        /// Only those with data of streams that are closed; ngtcp2 counts for the others.
        var packetsLost: UInt64 = 0
        var probeTimeouts: UInt64 = 0
        var sizeProbesSent: UInt64 = 0
    }

    /// What the connection has sent and received so far, and what it knows of its path now.
    package var statistics: QUICStatistics {
        let stats = bridge_quic_stats_of(handle)
        var statistics = QUICStatistics()
        statistics.smoothedRTT = .nanoseconds(Int64(clamping: stats.smoothed_rtt))
        statistics.minRTT = .nanoseconds(Int64(clamping: stats.min_rtt))
        statistics.latestRTT = .nanoseconds(Int64(clamping: stats.latest_rtt))
        statistics.congestionWindow = stats.congestion_window
        statistics.bytesInFlight = stats.bytes_in_flight
        statistics.datagramSize =
            datagramSize.raisesAt == nil ? stats.datagram_size : min(stats.datagram_size, DatagramSize.base)
        statistics.bytesSent = counters.bytesSent
        statistics.bytesReceived = counters.bytesReceived
        statistics.datagramsSent = counters.datagramsSent
        statistics.datagramsReceived = counters.datagramsReceived
        statistics.probeTimeouts = counters.probeTimeouts
        statistics.sizeProbesSent = counters.sizeProbesSent
        statistics.packetsLost = streams.values.reduce(counters.packetsLost) { sum, stream in
            sum + bridge_quic_stream_losses(handle, stream.id.rawValue)
        }
        return statistics
    }

    /// How many objects ngtcp2 has allocated that the allocator had no room for. On an idle connection it does not grow
    /// with what the connection has done before.
    var heapObjects: Int { bridge_quic_objects_from_malloc(handle) }

    /// The connection ends after it has received nothing for this long: the smaller of both sides' values, as soon as
    /// the peer's is known. 0 if it never ends for that reason.
    package var idleTimeout: Duration {
        .nanoseconds(Int64(clamping: bridge_quic_idle_timeout(handle)))
    }
}
