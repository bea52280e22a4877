import NIOCore

/// Figures of one connection at one moment.
package struct QUICStatistics: Sendable, Equatable {
    /// The smoothed round-trip time (RFC 9002 5.3).
    package var smoothedRTT: Duration = .zero
    /// The shortest round trip seen; zero before the first.
    package var minRTT: Duration = .zero
    /// The last round trip measured; zero before the first.
    package var latestRTT: Duration = .zero
    /// In bytes.
    package var congestionWindow: UInt64 = 0
    /// Bytes that were sent and neither acknowledged nor declared lost.
    package var bytesInFlight: UInt64 = 0
    /// Bytes of UDP payload.
    package var bytesSent: UInt64 = 0
    /// Bytes of UDP payload.
    package var bytesReceived: UInt64 = 0
    /// Each UDP payload counts once, however many go out by one write.
    package var datagramsSent: UInt64 = 0
    /// Datagrams that turned out to be unusable count, too.
    package var datagramsReceived: UInt64 = 0
    /// Packets with stream data that were declared lost. Some of them may only have been late.
    package var packetsLost: UInt64 = 0
    /// How often nothing had come for a probe timeout, with its backoff (RFC 9002 6.2), while an answer was awaited.
    package var probeTimeouts: UInt64 = 0
    /// How many datagrams went out that are larger than what the path is known to carry, to find out if it does. When it
    /// stays the same for several probe timeouts, path MTU discovery has come to its end.
    package var sizeProbesSent: UInt64 = 0
    /// The largest UDP payload that is sent on the path now, in bytes: the result of path MTU discovery, or 1200 if the
    /// path has begun to swallow larger datagrams.
    package var datagramSize: Int = 0
}

/// A UDP payload to be sent.
package struct QUICDatagram: Sendable, Equatable {
    /// The payload.
    package var bytes: ByteBuffer
    /// The address to send from.
    package var local: SocketAddress
    /// The address to send to.
    package var remote: SocketAddress
    /// The ECN mark for the IP header (RFC 9000 13.4).
    package var ecn: NIOExplicitCongestionNotificationState

    package init(
        bytes: ByteBuffer, local: SocketAddress, remote: SocketAddress, ecn: NIOExplicitCongestionNotificationState
    ) {
        self.bytes = bytes
        self.local = local
        self.remote = remote
        self.ecn = ecn
    }
}
