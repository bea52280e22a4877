import CNGTCP2
import NIOCore

// What the outcome of a call into ngtcp2 means for the connection.
extension QUICConnection {
    /// Closes the connection; the CONNECTION_CLOSE comes out of `nextDatagram`.
    package func close(applicationCode: UInt64, reason: String, at now: NIODeadline) {
        guard isOpen else { return }
        startClosing(application: (applicationCode, reason), at: now)
        events.append(.closed(.localClose(code: applicationCode, reason: reason)))
    }

    func settle(_ status: bq_status, at now: NIODeadline) {
        guard isOpen else { return }
        if keepAliveIsDue {
            // Earlier it would abort the process: ngtcp2 asserts that the handshake is confirmed.
            keepAliveIsDue = false
            if let interval = configuration.keepAlive { bq_conn_set_keep_alive(conn, interval.clampedNanoseconds) }
        }
        while streamsToAllow > 0 {
            streamsToAllow -= 1
            bq_conn_allow_stream(conn)
        }
        switch status {
        case BQ_OK, BQ_STREAM_BLOCKED, BQ_STREAM_GONE, BQ_STREAMS_EXHAUSTED, BQ_WRITE_MORE:
            break
        case BQ_DRAINING:
            wasReset ? end(.statelessReset) : drain(at: now)
        case BQ_IDLE_TIMEOUT:
            end(.idleTimeout(remote: remoteAddress.hostAndPort, after: configuration.idleTimeout))
        case BQ_HANDSHAKE_TIMEOUT:
            end(timeout)
        case BQ_VERSION_NEGOTIATION:
            end(.versionNegotiationFailed(offered: offeredVersions))
        case BQ_DROP, BQ_RETRY:
            end(.transportError(code: 0, reason: "the first packet cannot be used", isRemote: true))
        default:
            let error = failure(status)
            startClosing(application: nil, at: now)
            events.append(.closed(error))
        }
    }

    private var timeout: QUICError {
        let (remote, after) = (remoteAddress.hostAndPort, configuration.handshakeTimeout)
        return counters.datagramsReceived == 0
            ? .noAnswer(remote: remote, after: after) : .handshakeTimeout(remote: remote, after: after)
    }

    /// Over at once, without another word.
    private func end(_ error: QUICError) {
        phase = .closed
        letGo()
        events.append(.closed(error))
    }

    private func drain(at now: NIODeadline) {
        phase = .draining(until: now + probeTimeouts)
        letGo()
        events.append(.closed(peerClose))
    }

    private func startClosing(application: (code: UInt64, reason: String)?, at now: NIODeadline) {
        var written = bq_written()
        var reason = application?.reason ?? ""
        var packet = ByteBufferAllocator().buffer(capacity: 1_200)
        packet.writeWithUnsafeMutableBytes(minimumWritableBytes: 1_200) { memory in
            reason.withUTF8 { text in
                text.withMemoryRebound(to: CChar.self) { text in
                    bq_conn_write_close(
                        conn, memory.baseAddress?.assumingMemoryBound(to: UInt8.self), 1_200,
                        application == nil ? 0 : 1, application?.code ?? 0, text.baseAddress, min(text.count, 256),
                        &written, now.uptimeNanoseconds)
                }
            }
        }
        letGo()
        guard packet.readableBytes > 0 else {
            // Nothing was ever said to the peer that would have to be taken back.
            phase = .closed
            return
        }
        phase = .closing(Closing(packet: packet, remote: remoteAddress, until: now + probeTimeouts))
    }

    /// RFC 9000 10.2: at least three times the probe timeout.
    private var probeTimeouts: TimeAmount {
        .nanoseconds(Int64(clamping: min(bq_conn_pto(conn), 10_000_000_000) * 3))
    }

    private func letGo() {
        sendable.removeAll()
        blocked.removeAll()
        resumeAt = nil
    }

    // MARK: Errors

    private func failure(_ status: bq_status) -> QUICError {
        let alert = bq_conn_tls_alert(conn)
        guard status == BQ_TLS, alert >= 0 else {
            let number = bq_conn_last_error(conn)
            return .transportError(
                code: bq_conn_last_error_code(conn), reason: String(cString: bq_error_text(number)), isRemote: false)
        }
        return certificateFault ?? tlsAlert(UInt8(truncatingIfNeeded: alert), isRemote: false)
    }

    private func tlsAlert(_ alert: UInt8, isRemote: Bool) -> QUICError {
        switch alert {
        case 116 where isRemote && !isServer: .clientCertificateRequired
        case 116 where !isRemote: .peerCertificateMissing
        case 120: .alpnRefused(offered: configuration.alpn)
        default:
            .tlsAlert(code: alert, description: String(cString: bq_alert_name(alert)), isRemote: isRemote)
        }
    }

    private var peerClose: QUICError {
        var close = bq_close()
        guard bq_conn_peer_close(conn, &close) != 0 else {
            return .transportError(code: 0, reason: "", isRemote: true)
        }
        let reason = withUnsafeMutableBytes(of: &close.reason) { text($0.bindMemory(to: CChar.self)) }
        if close.is_application != 0 { return .applicationClosed(code: close.code, reason: reason) }
        switch close.code {
        case 0x02: return .connectionRefused(reason: reason)
        case 0x100...0x1FF: return tlsAlert(UInt8(truncatingIfNeeded: close.code), isRemote: true)
        default: return .transportError(code: close.code, reason: reason, isRemote: true)
        }
    }
}
