import CNGTCP2
import NIOCore

extension QUICConnection {
    /// What the peer is told when the connection ends.
    private enum Farewell {
        case close(bridge_quic_close_kind, code: UInt64, reason: String)
        /// Nothing, because the peer closed the connection.
        case drain
        /// Nothing, and the connection is over at once, because the peer is not there.
        case none
    }

    /// Closes the connection; the CONNECTION_CLOSE comes out of `nextDatagram`. What was queued and not yet sent is
    /// lost. Does nothing if the connection has ended already.
    ///
    /// - Parameter reason: For the peer's log. It is cut after 512 bytes.
    package func close(applicationCode: UInt64, reason: String, at now: NIODeadline) {
        guard isOpen else { return }
        end(
            .localClose(code: applicationCode, reason: reason),
            .close(.application, code: applicationCode, reason: reason), at: now)
    }

    /// How long the closing and draining periods last (RFC 9000 10.2). Other waits have this length, too.
    var threeProbeTimeouts: TimeAmount {
        .nanoseconds(Int64(clamping: bridge_quic_pto(handle)).multipliedReportingOverflow(by: 3).partialValue)
    }

    /// Ends the connection if the status of a call, or what callbacks found during it, demands that.
    func settle(_ status: bridge_quic_status, operation: String, at now: NIODeadline) {
        guard isOpen else { return }
        switch status {
        case .ok, .writeMore, .streamBlocked, .streamShut, .streamUnknown, .streamLimit, .notNow:
            if hasHandshakeNews { settleHandshake(at: now) }
        case .draining, .closing:
            end(remoteError, .drain, at: now)
        case .drop:
            end(.connectionRefused(reason: "the first datagram was not usable"), .none, at: now)
        case .idle:
            let timeout = Duration.nanoseconds(Int64(clamping: bridge_quic_idle_timeout(handle)))
            endUnheard(.idleTimeout(remote: remoteAddress.hostAndPort, after: timeout), after: timeout, .none, at: now)
        case .handshakeTimeout:
            let timeout = configuration.handshakeTimeout
            endUnheard(
                .handshakeTimeout(remote: remoteAddress.hostAndPort, after: timeout), after: timeout,
                .close(.transport, code: 0, reason: "handshake timeout"), at: now)
        case .versionMismatch:
            end(.versionNegotiationFailed(offered: handshake.offeredVersions), .none, at: now)
        case .tlsFailed:
            let (error, alert) = tlsFailure
            end(error, .close(.tlsAlert, code: UInt64(alert), reason: ""), at: now)
        case .failed:
            end(localFailure(operation), .close(.lastError, code: 0, reason: ""), at: now)
        }
    }

    private func settleHandshake(at now: NIODeadline) {
        hasHandshakeNews = false
        if let violation = handshake.violation {
            end(violation, .close(.tlsAlert, code: UInt64(TLSAlert.noApplicationProtocol), reason: ""), at: now)
        } else if handshake.takeKeepAlive(), let keepAlive = configuration.keepAlive, keepAlive > .zero {
            bridge_quic_set_keep_alive(handle, SharedDeadline.keepAlive(within: keepAlive).nanoseconds)
        }
    }

    /// If nothing was ever received, the error says so: that says more than which timeout it was.
    private func endUnheard(_ error: QUICError, after timeout: Duration, _ farewell: Farewell, at now: NIODeadline) {
        guard counters.datagramsReceived == 0 else { return end(error, farewell, at: now) }
        end(.noAnswer(remote: remoteAddress.hostAndPort, after: timeout), .none, at: now)
    }

    private func end(_ error: QUICError, _ farewell: Farewell, at now: NIODeadline) {
        let until = now + threeProbeTimeouts
        let datagram =
            if case .close(let kind, let code, let reason) = farewell {
                closeDatagram(kind, code: code, reason: reason, at: now)
            } else { nil as ByteBuffer? }
        isOpen = false
        switch farewell {
        case .close: closing.close(with: datagram, until: until)
        case .drain: closing.drain(until: until)
        case .none: closing.finish()
        }
        for stream in streams.values {
            counters.packetsLost += bridge_quic_stream_losses(handle, stream.id.rawValue)
        }
        streams.removeAll()
        events.end(error)
    }

    /// The error with which the peer closed the connection.
    private var remoteError: QUICError {
        let close = bridge_quic_remote_close_of(handle)
        guard !close.is_stateless_reset else { return .statelessReset }
        let reason = printable(UnsafeBufferPointer(start: close.reason, count: close.reason_length))
        guard !close.is_application else { return .applicationClosed(code: close.code, reason: reason) }
        switch close.code {
        case TransportErrorCode.connectionRefused:
            return .connectionRefused(reason: reason)
        case TransportErrorCode.cryptoErrors:
            return tlsError(alert: UInt8(truncatingIfNeeded: close.code), isRemote: true)
        default:
            return .transportError(code: close.code, reason: reason, isRemote: true)
        }
    }

    private func localFailure(_ operation: String) -> QUICError {
        let error = bridge_quic_last_error(handle)
        let code = bridge_quic_last_error_code(handle)
        guard code != TransportErrorCode.internalError else {
            return .internalError(operation: operation, code: Int(error))
        }
        let text = bridge_quic_error_text(error).map { String(cString: $0) } ?? ""
        return .transportError(code: code, reason: text, isRemote: false)
    }
}

/// The peer's text, cut and without control characters, because it ends up in a log.
private func printable(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(256), as: UTF8.self)
    return String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
}
