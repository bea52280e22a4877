import NIOCore

/// Figures of one connection at one moment.
package struct QUICStatistics: Sendable, Equatable {
    package var smoothedRTT: Duration = .zero
    package var minRTT: Duration = .zero
    package var latestRTT: Duration = .zero
    /// Bytes.
    package var congestionWindow: UInt64 = 0
    /// Bytes sent and neither acknowledged nor declared lost.
    package var bytesInFlight: UInt64 = 0
    /// UDP payload bytes.
    package var bytesSent: UInt64 = 0
    /// UDP payload bytes.
    package var bytesReceived: UInt64 = 0
    package var datagramsSent: UInt64 = 0
    package var datagramsReceived: UInt64 = 0
    /// Packets with stream data that were declared lost, some of them perhaps only late.
    package var packetsLost: UInt64 = 0
    /// The largest UDP payload now sent on the path, in bytes: the fruit of path MTU discovery, or 1200 where the path
    /// has begun to swallow larger ones.
    package var datagramSize: Int = 0

    package init() {}
}

/// A UDP payload to be sent.
package struct QUICDatagram: Sendable, Equatable {
    package var bytes: ByteBuffer
    package var local: SocketAddress
    package var remote: SocketAddress
    package var ecn: NIOExplicitCongestionNotificationState
}
