import CNGTCP2
import NIOCore

extension QUICConnection {
    /// - Parameter serverName: a host name or an IP literal. The server's certificate must be made out to it. Only a
    ///   host name is sent as SNI (RFC 6066 3).
    package static func client(
        configuration: QUICConfiguration,
        tls: QUICTLSContext,
        serverName: String,
        local: SocketAddress,
        remote: SocketAddress,
        now: NIODeadline
    ) throws(QUICError) -> QUICConnection {
        guard (1...253).contains(serverName.utf8.count), !serverName.utf8.contains(0) else {
            throw .invalidServerName(serverName)
        }
        let connection = QUICConnection(
            configuration: configuration, tls: tls, serverName: serverName, local: local, remote: remote,
            qlog: try QLogFile.open(in: configuration.qlogDirectory, role: "client"))
        var settings = bq_settings(configuration, now: now)
        let alpn = configuration.wireALPN
        var events = bq_events.ofConnection
        connection.conn = local.withSockAddr { local, _ in
            remote.withSockAddr { remote, _ in
                bq_conn_client_new(
                    tls.tls, &settings, serverName, alpn, alpn.count, local, remote, QUICConnectionID.localLength,
                    &events, Unmanaged.passUnretained(connection).toOpaque())
            }
        }
        guard connection.conn != nil else { throw .internalError(operation: "setting up a QUIC connection", code: 0) }
        // What the first call of all issued is known from `connectionIDs`.
        connection.events.removeAll()
        return connection
    }
}

extension bq_settings {
    init(_ configuration: QUICConfiguration, now: NIODeadline) {
        self.init()
        self.now = now.uptimeNanoseconds
        handshake_timeout = configuration.handshakeTimeout.clampedNanoseconds
        idle_timeout = configuration.idleTimeout.clampedNanoseconds
        max_data = configuration.initialMaxData
        max_stream_data = configuration.initialMaxStreamData
        max_bidi_streams = UInt64(clamping: configuration.maxBidiStreams)
        active_connection_id_limit = UInt64(clamping: min(max(configuration.activeConnectionIDLimit, 2), 8))
        max_tx_udp_payload = min(max(configuration.maximumDatagramSize, 1_200), 65_527)
        max_rx_udp_payload = QUICConfiguration.largestReceivedDatagram
        bbr = configuration.congestionControl == .bbr ? 1 : 0
        path_mtu_discovery = configuration.pathMTUDiscovery ? 1 : 0
        qlog = configuration.qlogDirectory == nil ? 0 : 1
    }
}

extension QUICConfiguration {
    /// Bytes: what a peer is told that we take in one datagram (`max_udp_payload_size`).
    static let largestReceivedDatagram = 2_048

    /// RFC 7301: each name behind its length. Names that are empty or longer than 255 bytes cannot be said.
    var wireALPN: [UInt8] {
        alpn.flatMap { name -> [UInt8] in
            guard (1...255).contains(name.utf8.count) else { return [] }
            return [UInt8(name.utf8.count)] + Array(name.utf8)
        }
    }
}

extension Duration {
    var clampedNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, seconds < 1_000_000_000 else { return seconds < 0 ? 0 : .max / 2 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(max(attoseconds, 0)) / 1_000_000_000
    }
}
