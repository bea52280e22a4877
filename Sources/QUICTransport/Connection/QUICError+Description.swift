extension QUICError: CustomStringConvertible {
    /// What happened and what to check, in one line for an operator.
    package var description: String {
        switch self {
        case .noAnswer(let remote, let after):
            "no answer from \(remote) over UDP within \(seconds(after)): is the port open in the firewall, and does the "
                + "broker listen there?"
        case .unreachable(let remote, let reason):
            "no datagram can be sent to \(remote): \(reason): is the network up, and does a firewall of this machine "
                + "forbid it?"
        case .handshakeTimeout(let remote, let after):
            "\(remote) answered, but the QUIC handshake did not finish within \(seconds(after)): is the network very "
                + "lossy or slow, or does a firewall drop large UDP datagrams?"
        case .idleTimeout(let remote, let after):
            "nothing heard from \(remote) for \(seconds(after)): is the network down, or the broker gone?"
        case .fileUnreadable(let path, let why):
            "cannot use \(path): \(why)"
        case .invalidServerName(let name):
            "'\(name)' is not a host name or an IP address that a certificate can be checked against"
        case .notPossibleNow(let operation, let why):
            "\(operation) is not possible now: \(why)"
        case .internalError(let operation, let code):
            "\(operation) failed with \(code): an error of this program or its libraries, please report it"
        case .certificateNotTrusted, .hostNameMismatch, .certificateExpired, .certificateNotYetValid,
            .certificateUnacceptable, .peerCertificateMissing, .clientCertificateRequired, .clientCertificateRefused,
            .alpnRefused, .tlsAlert:
            tlsDescription
        case .versionNegotiationFailed, .connectionRefused, .transportError, .applicationClosed, .statelessReset,
            .localClose:
            closeDescription
        }
    }

    private var tlsDescription: String {
        switch self {
        case .certificateNotTrusted(let subject, let issuer, let caFile, let isAlone):
            "certificate not trusted: '\(subject)', issued by '\(issuer)', does not lead to a certificate in \(caFile): "
                + "is that the broker's CA?"
                + (isAlone
                    ? " Where '\(issuer)' is an intermediate CA, its certificate is missing: it belongs behind the broker's "
                        + "own in the broker's file, or into \(caFile)" : "")
        case .hostNameMismatch(let expected, let names):
            "the certificate's host names are \(list(names)), not '\(expected)': is the configured host right?"
        case .certificateExpired(let subject, let notAfter, let caFile?):
            "the CA certificate '\(subject)' in \(caFile) expired on \(UTCTime(notAfter)): put the present one there, or "
                + "correct this machine's clock"
        case .certificateNotYetValid(let subject, let notBefore, let caFile?):
            "the CA certificate '\(subject)' in \(caFile) is not valid before \(UTCTime(notBefore)): is this machine's "
                + "clock right?"
        case .certificateExpired(let subject, let notAfter, nil):
            "the certificate '\(subject)' expired on \(UTCTime(notAfter)): it must be renewed, or this machine's clock "
                + "is wrong"
        case .certificateNotYetValid(let subject, let notBefore, nil):
            "the certificate '\(subject)' is not valid before \(UTCTime(notBefore)): is this machine's clock right?"
        case .certificateUnacceptable(let subject, let reason):
            "the certificate '\(subject)' is not acceptable (GnuTLS: \(reason)): it must be reissued"
        case .peerCertificateMissing:
            "the peer sent no certificate, and one is required"
        case .clientCertificateRequired:
            "the broker demands a client certificate: configure one with its key"
        case .clientCertificateRefused(let alert, let name):
            "the broker does not accept the configured client certificate (alert \(alert), \(name)): did a CA that it trusts "
                + "issue it, is its chain complete, and is it still valid?"
        case .alpnRefused(let offered):
            "the broker speaks none of the protocols offered over QUIC (ALPN \(list(offered))): is it an MQTT listener?"
        case .tlsAlert(let code, let name, let isRemote):
            "TLS handshake failed: \(isRemote ? "the peer" : "this side") raised alert \(code) (\(name))"
        default:
            ""
        }
    }

    private var closeDescription: String {
        switch self {
        case .versionNegotiationFailed(let offered):
            "the peer does not speak QUIC version 1, only "
                + list(offered.map { "0x" + String($0, radix: 16) })
        case .connectionRefused(let reason):
            "the broker refuses connections now\(suffix(reason)): is it overloaded or shutting down?"
        case .transportError(let code, let reason, let isRemote):
            "QUIC transport error \(TransportErrorCode.name(code)) from \(isRemote ? "the peer" : "this side")"
                + suffix(reason)
        case .applicationClosed(let code, let reason):
            "the peer closed the connection with application code \(code)\(suffix(reason))"
        case .statelessReset:
            "the broker no longer knows this connection (stateless reset): was it restarted?"
        case .localClose(let code, let reason):
            "closed on this side with application code \(code)\(suffix(reason))"
        default:
            ""
        }
    }
}

private func list(_ names: [String]) -> String {
    names.isEmpty ? "(none)" : names.joined(separator: ", ")
}

private func suffix(_ reason: String) -> String {
    reason.isEmpty ? "" : ": \(reason)"
}

private func seconds(_ duration: Duration) -> String {
    let (whole, fraction) = duration.components
    let tenths = fraction / 100_000_000_000_000_000
    return tenths == 0 ? "\(whole) s" : "\(whole).\(tenths) s"
}
