import CNGTCP2
import NIOCore

extension QUICConnection {
    /// Makes the client's side of a connection. Nothing is sent before `nextDatagram` is called.
    ///
    /// - Parameters:
    ///   - serverName: A host name or an IP literal. The server's certificate must be made out to it. Only a host name
    ///     is sent as SNI (RFC 6066 3).
    ///   - resumption: What an earlier connection's `ticketReceived` brought. The handshake is a full one if it belongs
    ///     to another server name or to other authorities, or if the server does not accept it any more.
    ///   - earlyData: Whether streams may be opened, and data sent, before the handshake has completed (0-RTT),
    ///     provided that the resumption allows it; `openStream` shows that at once. Anyone who recorded such data can
    ///     send it again (RFC 9001 9.2).
    /// - Throws: `invalidServerName`, or `internalError` if a library fails.
    package static func client(
        configuration: QUICConfiguration, tls: QUICTLSContext, serverName: String, local: SocketAddress,
        remote: SocketAddress, now: NIODeadline, resumption: QUICResumption? = nil, earlyData: Bool = false
    ) throws(QUICError) -> QUICConnection {
        guard !serverName.utf8.contains(0) else { throw .invalidServerName(serverName) }
        let resumption = resumption.flatMap { $0.fits(serverName: serverName, tls: tls) ? $0 : nil }
        let handle = try (resumption?.session ?? []).withUnsafeBufferPointer { session throws(QUICError) in
            try (resumption?.earlyParameters ?? []).withUnsafeBufferPointer { parameters throws(QUICError) in
                try make(
                    configuration, tls: tls, serverName: serverName, local: local, remote: remote, now: now
                ) { settings in
                    guard let resumption else { return }
                    settings.session = session.baseAddress
                    settings.session_length = session.count
                    settings.early_parameters = parameters.baseAddress
                    settings.early_parameters_length = parameters.count
                    settings.early_data =
                        earlyData && resumption.allowsEarlyData && configuration.alpn.contains(resumption.alpn)
                }
            }
        }
        return QUICConnection(
            takingOwnershipOf: handle, role: .client(serverName: serverName), resumption: resumption,
            configuration: configuration, tls: tls, local: local, remote: remote, now: now)
    }

    /// Makes the server's side of a connection from a client's first datagram, and takes that datagram in.
    ///
    /// - Throws: `internalError` if a library fails.
    package static func server(
        accepting incoming: QUICIncomingConnection,
        now: NIODeadline
    ) throws(QUICError) -> QUICConnection {
        let (configuration, tls) = (incoming.configuration, incoming.tls)
        // What a client's certificate proves is known only when the handshake has completed.
        let takesEarlyData = tls.ticketKey != nil && !tls.demandsClientCertificate
        let recording = takesEarlyData ? tls.antiReplay?.recording() : nil
        let handle = try incoming.withInitial { initial, secret throws(QUICError) in
            try (tls.ticketKey?.bytes ?? []).withUnsafeBufferPointer { ticketKey throws(QUICError) in
                try make(
                    configuration, tls: tls, serverName: "", local: incoming.local, remote: incoming.remote, now: now
                ) { settings in
                    settings.initial = initial
                    settings.secret = secret
                    settings.require_client_certificate = tls.demandsClientCertificate
                    settings.ticket_key = tls.ticketKey == nil ? nil : ticketKey.baseAddress
                    settings.anti_replay = recording?.handle
                }
            }
        }
        let connection = QUICConnection(
            takingOwnershipOf: handle, role: .server(recording: recording), configuration: configuration, tls: tls,
            local: incoming.local, remote: incoming.remote, now: now)
        // The client uses the ID that it chose itself until it has seen ours, and may send old packets again later.
        if let id = QUICConnectionID(incoming.initial.dcid) {
            connection.identity.add(id)
        }
        connection.receive(
            incoming.datagram, from: incoming.remote, to: incoming.local, ecn: incoming.ecn, at: now)
        return connection
    }

    private static func make(
        _ configuration: QUICConfiguration, tls: QUICTLSContext, serverName: String, local: SocketAddress,
        remote: SocketAddress, now: NIODeadline, _ complete: (inout bridge_quic_settings) -> Void
    ) throws(QUICError) -> OpaquePointer {
        guard local.isIP, remote.isIP else {
            throw .internalError(operation: "using an address that is not IP", code: 0)
        }
        var handle: OpaquePointer?
        var error: Int32 = 0
        let creation = withSettings(configuration) { settings in
            complete(&settings)
            var callbacks = Self.callbacks
            return serverName.withCString { name in
                settings.server_name = name
                return withPath(local: local, remote: remote) { path in
                    bridge_quic_connection_new(
                        &handle, &settings, tls.credentials, &callbacks, path, now.nanoseconds, &error)
                }
            }
        }
        switch (creation, handle) {
        case (.created, let handle?): return handle
        case (.badServerName, _): throw .invalidServerName(serverName)
        case (.created, nil), (.notCreated, _):
            throw .internalError(operation: "creating a QUIC connection", code: Int(error))
        }
    }

    /// Calls `body` with the configuration in its C form. Values for which ngtcp2 would abort the process are brought
    /// into range.
    private static func withSettings<Result>(
        _ configuration: QUICConfiguration,
        _ body: (inout bridge_quic_settings) -> Result
    ) -> Result {
        let alpn = configuration.alpn.flatMap { name in
            let bytes = Array(name.utf8.prefix(255))
            return [UInt8(bytes.count)] + bytes
        }
        let largestInteger: UInt64 = 1 << 62 - 1
        var settings = bridge_quic_settings()
        return withPointers(alpn, configuration.connectionIDs.prefix) { alpn, prefix in
            settings.alpn = alpn.baseAddress
            settings.alpn_length = alpn.count
            settings.handshake_timeout = configuration.handshakeTimeout.nanoseconds
            settings.idle_timeout = configuration.idleTimeout.nanoseconds
            settings.max_data = min(configuration.initialMaxData, largestInteger)
            settings.max_stream_data = min(configuration.initialMaxStreamData, largestInteger)
            settings.max_stream_window = min(configuration.largestStreamWindow, largestInteger)
            settings.max_bidi_streams = UInt64(min(max(configuration.maxBidiStreams, 0), 1 << 60))
            settings.active_connection_id_limit = UInt64(min(max(configuration.activeConnectionIDLimit, 2), 8))
            settings.max_datagram_size = configuration.datagramCapacity
            settings.connection_id_length = configuration.connectionIDs.length
            settings.connection_id_prefix = prefix.baseAddress
            settings.connection_id_prefix_length = prefix.count
            settings.path_mtu_discovery = configuration.pathMTUDiscovery
            settings.keeps_peer_certificates = configuration.keepsPeerCertificates
            settings.bbr = configuration.congestionControl == .bbr
            settings.max_ack_delay = min(configuration.maxAckDelay.nanoseconds, 16_383 * 1_000_000)
            guard let qlogDirectory = configuration.qlogDirectory else { return body(&settings) }
            return qlogDirectory.withCString { directory in
                settings.qlog_directory = directory
                return body(&settings)
            }
        }
    }

    private static func withPointers<Result>(
        _ first: [UInt8], _ second: [UInt8],
        _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        first.withUnsafeBufferPointer { first in second.withUnsafeBufferPointer { body(first, $0) } }
    }
}

extension QUICConfiguration {
    /// `maximumDatagramSize` within what QUIC allows (RFC 9000 14).
    var datagramCapacity: Int { min(max(maximumDatagramSize, 1200), 65_527) }
}

extension QUICConnectionID {
    init?(_ id: bridge_quic_cid) {
        let bytes = withUnsafeBytes(of: id.bytes) { Array($0.prefix(id.length)) }
        self.init(bytes)
    }
}
