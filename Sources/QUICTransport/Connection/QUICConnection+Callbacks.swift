import CNGTCP2
import NIOCore

/// What ngtcp2 reports while it reads or writes. None of these calls back into it: they append events and set flags.
extension QUICConnection {
    static var callbacks: bridge_quic_callbacks {
        bridge_quic_callbacks(
            handshake_completed: { connection($0)?.handshakeCompleted() },
            handshake_confirmed: { connection($0)?.handshakeConfirmed() },
            stream_opened: { connection($0)?.streamOpened($1) },
            stream_data: { connection($0)?.streamData($1, UnsafeRawBufferPointer(start: $2, count: $3), fin: $4) },
            stream_acknowledged: { connection($0)?.streamAcknowledged($1, bytes: $2) },
            stream_credit: { connection($0)?.streamCredit($1) },
            stream_reset: { connection($0)?.streamReset($1, code: $2) },
            stream_stopped: { connection($0)?.streamStopped($1) },
            stream_closed: { connection($0)?.streamClosed($1, lostPackets: $2) },
            streams_available: { connection($0)?.events.append(.streamsAvailable) },
            connection_id_issued: { connection($0)?.connectionID($1, $2, isIssued: true) },
            connection_id_retired: { connection($0)?.connectionID($1, $2, isIssued: false) },
            reset_token: { connection($0)?.resetToken(UnsafeRawBufferPointer(start: $1, count: 16), isValid: $2) },
            path_validated: { connection($0)?.pathValidated(local: $1, remote: $2, succeeded: $3) },
            version_negotiation: { connection($0)?.versionNegotiation($1, $2) },
            ticket_received: { connection($0)?.ticketReceived($1) },
            early_data_rejected: { connection($0)?.earlyDataRejected() }
        )
    }

    private func handshakeCompleted() {
        var length = 0
        let selected = bridge_quic_alpn(handle, &length)
            .map { String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self) }
        let earlyName = isEarlyDataAccepted ? resumption?.alpn : nil
        resumption = nil
        let agreed = handshake.complete(alpn: selected, offered: configuration.alpn, earlyName: earlyName)
        (isCompleted, hasHandshakeNews) = (true, true)
        guard let name = agreed else {
            return
        }
        repetition.validated = remoteAddress
        events.append(.handshakeCompleted(alpn: name))
        if isServer {
            // RFC 9001 4.1.2: a server's handshake is confirmed when it is complete.
            handshakeConfirmed()
        }
    }

    private func handshakeConfirmed() {
        guard handshake.confirm() else { return }
        (isConfirmed, hasHandshakeNews) = (true, true)
        events.append(.handshakeConfirmed)
    }

    private func streamOpened(_ rawID: Int64) {
        let id = QUICStreamID(rawValue: rawID)
        guard streams[id] == nil else { return }
        streams.add(id)
        events.append(.streamOpened(id))
    }

    private func streamData(_ rawID: Int64, _ bytes: UnsafeRawBufferPointer, fin: Bool) {
        events.append(bytes, fin: fin, of: QUICStreamID(rawValue: rawID))
    }

    private func streamAcknowledged(_ rawID: Int64, bytes: UInt64) {
        let id = QUICStreamID(rawValue: rawID)
        guard bytes > 0, let stream = streams[id] else { return }
        let count = Int(clamping: bytes)
        stream.acknowledged(count)
        events.appendDrained(count, of: id)
    }

    private func streamCredit(_ rawID: Int64) {
        guard let stream = streams[QUICStreamID(rawValue: rawID)] else { return }
        streams.enqueue(stream)
    }

    private func streamReset(_ rawID: Int64, code: UInt64) {
        let id = QUICStreamID(rawValue: rawID)
        // ngtcp2 0.12.1 also reports streams that never opened because only their reset arrived.
        guard streams[id] != nil else { return }
        events.append(.streamReset(id, code: code))
    }

    /// A stream that has nothing to send learns of this when it has something.
    private func streamStopped(_ rawID: Int64) {
        guard let stream = streams[QUICStreamID(rawValue: rawID)], stream.hasSomethingToSend else { return }
        stopped(stream)
    }

    private func streamClosed(_ rawID: Int64, lostPackets: UInt64) {
        let id = QUICStreamID(rawValue: rawID)
        counters.packetsLost += lostPackets
        streams.close(id)
        events.append(.streamClosed(id))
    }

    private func connectionID(_ bytes: UnsafePointer<UInt8>?, _ length: Int, isIssued: Bool) {
        guard let id = QUICConnectionID(UnsafeBufferPointer(start: bytes, count: length)) else { return }
        if isIssued {
            identity.add(id)
            events.append(.connectionIDIssued(id))
        } else {
            identity.remove(id)
            events.append(.connectionIDRetired(id))
        }
    }

    private func resetToken(_ bytes: UnsafeRawBufferPointer, isValid: Bool) {
        guard let token = StatelessResetToken(bytes) else { return }
        identity.setToken(token, isValid: isValid)
    }

    private func pathValidated(
        local: UnsafePointer<sockaddr>?, remote: UnsafePointer<sockaddr>?, succeeded: Bool
    ) {
        migration.ended()
        // The last datagram may have been sent on the path that is given up.
        if !succeeded, !isServer { path.local = localAddressInUse }
        if succeeded { datagramSize.pathChanged() }
        guard let local = SocketAddress(local), let remote = SocketAddress(remote) else { return }
        if succeeded { repetition.validated = remote }
        events.append(
            succeeded ? .pathChanged(local: local, remote: remote) : .pathFailed(local: local, remote: remote))
    }

    private func ticketReceived(_ ticket: UnsafePointer<bridge_quic_ticket>?) {
        guard case .client(let serverName) = role, let negotiatedALPN, let ticket = ticket?.pointee else { return }
        events.append(
            .ticketReceived(
                QUICResumption(
                    session: bytes(ticket.session, ticket.session_length),
                    earlyParameters: bytes(ticket.parameters, ticket.parameters_length),
                    serverName: serverName,
                    trust: tls.trust,
                    alpn: negotiatedALPN,
                    allowsEarlyData: ticket.allows_early_data,
                    receivedAt: ticket.received_at,
                    lifetime: ticket.lifetime)))
    }

    private func earlyDataRejected() {
        for stream in streams.values { stream.shut() }
        streams.removeAll()
        events.append(.earlyDataRejected)
    }

    private func versionNegotiation(_ versions: UnsafePointer<UInt32>?, _ count: Int) {
        handshake.offeredVersions = Array(UnsafeBufferPointer(start: versions, count: count))
    }
}

private func connection(_ owner: UnsafeMutableRawPointer?) -> QUICConnection? {
    owner.map { Unmanaged<QUICConnection>.fromOpaque($0).takeUnretainedValue() }
}

private func bytes(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
    Array(UnsafeBufferPointer(start: start, count: count))
}
