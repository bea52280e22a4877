import CNGTCP2
import NIOCore

/// The alerts that this program distinguishes (RFC 8446 6, RFC 7301 3.2).
enum TLSAlert {
    static let badCertificate: UInt8 = 42
    static let certificateExpired: UInt8 = 45
    static let unknownCA: UInt8 = 48
    static let internalError: UInt8 = 80
    static let certificateRequired: UInt8 = 116
    /// The alerts by which a peer rejects the certificate that it was shown.
    static let aboutCertificates: Set<UInt8> = [badCertificate, 43, 44, certificateExpired, 46, unknownCA, 49]
    static let noApplicationProtocol: UInt8 = 120

    static func name(_ code: UInt8) -> String {
        bridge_quic_tls_alert_name(code).map { String(cString: $0) } ?? "unknown"
    }
}

extension QUICConnection {
    /// What the handshake agreed on; `nil` before it has completed.
    package var tlsInfo: QUICTLSInfo? {
        guard let version = bridge_quic_tls_version(handle) else { return nil }
        return QUICTLSInfo(
            version: String(cString: version),
            cipher: bridge_quic_tls_cipher(handle).map { String(cString: $0) } ?? "",
            group: bridge_quic_tls_group(handle).map { String(cString: $0) } ?? "",
            peerCertificates: peerCertificates
        )
    }

    /// The peer's chain as far as it is known, its own certificate first, whether or not it was accepted: after a failed
    /// check this is what the peer has shown. See ``QUICTLSInfo/peerCertificates`` for the time after the handshake.
    package var peerCertificates: [QUICCertificate] {
        var certificates: [QUICCertificate] = []
        while let certificate = peerCertificate(at: certificates.count) {
            certificates.append(certificate)
        }
        return certificates
    }

    /// The first certificate of the peer's chain; see ``QUICTLSInfo/peerCertificates``.
    var peerCertificate: QUICCertificate? { peerCertificate(at: 0) }

    private func peerCertificate(at index: Int) -> QUICCertificate? {
        var certificate = bridge_quic_certificate()
        guard bridge_quic_peer_certificate(handle, index, &certificate) else { return nil }
        defer { bridge_quic_certificate_free(&certificate) }
        return QUICCertificate(certificate)
    }

    /// The trusted certificate to which the peer's chain leads.
    private var trustedIssuer: QUICCertificate? {
        var certificate = bridge_quic_certificate()
        guard bridge_quic_trusted_issuer(handle, &certificate) else { return nil }
        defer { bridge_quic_certificate_free(&certificate) }
        return QUICCertificate(certificate)
    }

    /// Why TLS failed on this side, and the alert for the peer.
    var tlsFailure: (error: QUICError, alert: UInt8) {
        var index = 0
        let (verdict, why) = withReason { bridge_quic_verdict_of(handle, &index, $0) }
        let own = peerCertificate(at: 0)
        let sent = index == 0 ? own : peerCertificate(at: index)
        let caFile = sent == nil ? tls.caFile : nil
        let atFault = sent ?? trustedIssuer
        let subject = atFault?.subject ?? ""
        switch verdict {
        case .none:
            let alert = bridge_quic_tls_alert(handle)
            return (tlsError(alert: alert, isRemote: false), alert == 0 ? TLSAlert.internalError : alert)
        case .noCertificate:
            return (.peerCertificateMissing, TLSAlert.certificateRequired)
        case .notTrusted:
            let issuer = own?.issuer ?? ""
            let isAlone = peerCertificate(at: 1) == nil && own?.subject != own?.issuer
            let error = QUICError.certificateNotTrusted(
                subject: subject, issuer: issuer, caFile: tls.caFile, isAlone: isAlone)
            return (error, TLSAlert.unknownCA)
        case .expired where atFault == nil, .notYetValid where atFault == nil:
            return (.certificateUnacceptable(subject: own?.subject ?? "", reason: why), TLSAlert.badCertificate)
        case .expired:
            let notAfter = atFault?.notAfter ?? 0
            return (
                .certificateExpired(subject: subject, notAfter: notAfter, caFile: caFile), TLSAlert.certificateExpired
            )
        case .notYetValid:
            let notBefore = atFault?.notBefore ?? 0
            return (
                .certificateNotYetValid(subject: subject, notBefore: notBefore, caFile: caFile), TLSAlert.badCertificate
            )
        case .wrongName:
            let serverName = if case .client(let name) = role { name } else { "" }
            return (.hostNameMismatch(expected: serverName, names: own?.names ?? []), TLSAlert.badCertificate)
        case .unacceptable:
            return (.certificateUnacceptable(subject: subject, reason: why), TLSAlert.badCertificate)
        }
    }

    /// Changes to the next keys (RFC 9001 6).
    ///
    /// - Throws: `notPossibleNow` before the handshake is confirmed, and until packets were exchanged three probe
    ///   timeouts after the previous update: ngtcp2 has the next keys ready only then.
    package func initiateKeyUpdate(at now: NIODeadline) throws(QUICError) {
        let operation = "key update"
        guard isOpen else { throw .notPossibleNow(operation: operation, why: "the connection is closed") }
        guard isHandshakeConfirmed else {
            throw .notPossibleNow(operation: operation, why: "the handshake is not confirmed")
        }
        switch bridge_quic_update_key(handle, now.nanoseconds) {
        case .ok: break
        case .notNow: throw .notPossibleNow(operation: operation, why: "the last one is too recent")
        case let status: settle(status, operation: operation, at: now)
        }
    }

    /// - Parameter isRemote: Whether the peer raised the alert.
    func tlsError(alert: UInt8, isRemote: Bool) -> QUICError {
        switch alert {
        case TLSAlert.noApplicationProtocol where !isServer:
            .alpnRefused(offered: configuration.alpn)
        case TLSAlert.certificateRequired where isRemote && !isServer:
            .clientCertificateRequired
        case TLSAlert.certificateRequired where !isRemote && isServer:
            .peerCertificateMissing
        case _ where isRemote && !isServer && tls.showsCertificate && TLSAlert.aboutCertificates.contains(alert):
            .clientCertificateRefused(alert: alert, description: TLSAlert.name(alert))
        default:
            .tlsAlert(code: alert, description: TLSAlert.name(alert), isRemote: isRemote)
        }
    }
}
