import NIOCore
import NIOPosix
import NIOSSL
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Says what went wrong with a TLS connection, and what to do about it, in the words that are used for QUIC.
/// BoringSSL's own messages name its source files.
package struct TLSWords: Sendable {
    /// The host and port of the server.
    package let remote: String
    /// The name that the certificate has to carry.
    let serverName: String
    /// What messages call the authorities.
    let caFile: String
    private let authorities: TLSClientSettings.Trust
    let hasClientCertificate: Bool

    package init(_ settings: TLSClientSettings) {
        self.remote =
            settings.host.contains(":") ? "[\(settings.host)]:\(settings.port)" : "\(settings.host):\(settings.port)"
        self.serverName = settings.certificateName
        self.caFile = settings.trustName
        self.authorities = settings.trust
        self.hasClientCertificate = settings.certificateFile != nil
    }

    package func noAnswer(_ patience: Duration) -> TLSFailure {
        TLSFailure(
            .unanswered,
            "no answer from \(remote) over TCP within \(seconds(patience)): is the port open in the firewall, and does the "
                + "broker listen there?")
    }

    package func handshakeTimeout(_ patience: Duration) -> TLSFailure {
        TLSFailure(
            .unanswered,
            "\(remote) took the TCP connection, but the TLS handshake did not finish within \(seconds(patience)): is it a "
                + "TLS port, and the network very lossy or slow?")
    }

    /// - Parameter certificate: The broker's certificate, if it has been received.
    package func error(_ error: any Error, certificate: NIOSSLCertificate?) -> TLSFailure {
        switch error {
        case let error as TLSFailure: error
        case let error as QUICResolutionError: TLSFailure(.network, "\(error)")
        case let error as NIOConnectionError: unreachable(error)
        case NIOSSLError.handshakeFailed(let reason): handshake(reason, certificate)
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            TLSFailure(.certificate, hostNameMismatch(certificate))
        case NIOSSLError.uncleanShutdown, is IOError, is ChannelError:
            TLSFailure(.network, "\(remote) ended the TLS handshake (\(plain(error))): is it a TLS port?")
        default:
            TLSFailure(.other, "the TLS connection to \(remote) failed: \(error.inWords)")
        }
    }

    /// Explains the end of a connection that had been ready.
    package func loss(_ error: (any Error)?) -> String {
        switch error {
        case let error as BoringSSLError where alert(error) != nil:
            // In TLS 1.3 a server that rejects the client's certificate says so after the handshake. It rejects the
            // connection; no session of the application is concerned yet.
            alert(error)?.description ?? ""
        case NIOSSLError.uncleanShutdown?, nil:
            "the TCP connection to \(remote) ended without TLS's farewell: has the broker's process died, or does "
                + "something on the way cut connections?"
        case let error as IOError where error.errnoCode == ETIMEDOUT:
            "nothing heard from \(remote): is the network down, or the broker gone?"
        case let error?:
            "the TLS connection to \(remote) broke: \(plain(error))"
        }
    }

    /// What a server that ended a finished handshake says about the client's certificate; `nil` if it says nothing.
    package func refusal(_ error: (any Error)?) -> TLSFailure? {
        guard let failure = (error as? BoringSSLError).flatMap(alert), failure.concernsClientCertificate else {
            return nil
        }
        return failure
    }
}

// MARK: - The handshake

extension TLSWords {
    private func unreachable(_ error: NIOConnectionError) -> TLSFailure {
        guard let failure = error.connectionErrors.last else {
            return TLSFailure(.network, "\(remote) has no address to connect to")
        }
        if case .connectTimeout(let limit)? = failure.error as? ChannelError { return noAnswer(Duration(limit)) }
        return TLSFailure(
            .network,
            "no TCP connection to \(remote): \(failure.error.inWords): is the port right, and does the broker listen there?"
        )
    }

    private func handshake(_ error: BoringSSLError, _ certificate: NIOSSLCertificate?) -> TLSFailure {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return TLSFailure(.certificate, notAccepted(certificate)) }
        if let alert = alert(error) { return alert }
        if text.contains("UNSUPPORTED_PROTOCOL") { return tooOld }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") || text.contains("UNEXPECTED_RECORD")
        {
            return TLSFailure(.other, "\(remote) does not speak TLS: is it the port for MQTT over TLS?")
        }
        if text.contains("EOF during") {
            return TLSFailure(
                .network,
                "\(remote) ended the connection in the middle of the TLS handshake: is it the port for MQTT over TLS?")
        }
        return TLSFailure(.other, "TLS handshake with \(remote) failed: \(reason(text))")
    }

    /// Explains the alert that the broker raised, if it did.
    private func alert(_ error: BoringSSLError) -> TLSFailure? {
        let text = "\(error)"
        guard text.contains("_ALERT_") || text.contains("TLSV1_CERTIFICATE_REQUIRED") else { return nil }
        if text.contains("CERTIFICATE_REQUIRED") {
            return TLSFailure(
                .certificate, "\(QUICError.clientCertificateRequired)", concernsClientCertificate: true)
        }
        if text.contains("NO_APPLICATION_PROTOCOL") {
            return TLSFailure(
                .alpnMismatch, "\(remote) does not speak MQTT (ALPN mqtt): is it the port for MQTT over TLS?")
        }
        if text.contains("ALERT_PROTOCOL_VERSION") { return tooOld }
        let name = reason(text).replacing("TLSV1_ALERT_", with: "").replacing("SSLV3_ALERT_", with: "")
            .replacing("_", with: " ").lowercased()
        if hasClientCertificate, ["certificate", "unknown ca", "access denied"].contains(where: name.contains) {
            return TLSFailure(
                .certificate,
                "the broker does not accept the configured client certificate (\(name)): is it the right one?",
                concernsClientCertificate: true)
        }
        return TLSFailure(.other, "TLS with \(remote) failed: the peer raised an alert (\(name))")
    }

    private var tooOld: TLSFailure {
        TLSFailure(.other, "\(remote) does not speak TLS 1.3, and nothing older is used: can it be updated?")
    }

    /// Cuts the reason out of `error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at ...`.
    private func reason(_ text: String) -> String {
        guard let start = text.firstRange(of: "OPENSSL_internal:")?.upperBound else { return text }
        return String(text[start...].prefix { $0 != " " })
    }

    private func plain(_ error: any Error) -> String {
        switch error {
        case NIOSSLError.uncleanShutdown: "closed"
        case let error as BoringSSLError: reason("\(error)")
        default: error.inWords
        }
    }
}

// MARK: - The certificate

extension TLSWords {
    /// BoringSSL does not distinguish between the possible reasons, but the dates show which one it is.
    private func notAccepted(_ certificate: NIOSSLCertificate?) -> String {
        guard let certificate else { return "\(QUICError.peerCertificateMissing)" }
        let subject = commonName(certificate)
        let now = Int64(time(nil))
        if Int64(certificate.notValidAfter) < now {
            return "\(QUICError.certificateExpired(subject: subject, notAfter: Int64(certificate.notValidAfter)))"
        }
        if Int64(certificate.notValidBefore) > now {
            return "\(QUICError.certificateNotYetValid(subject: subject, notBefore: Int64(certificate.notValidBefore)))"
        }
        if let authority = expiredAuthority(at: now) {
            let (name, end) = (commonName(authority), Int64(authority.notValidAfter))
            return "\(QUICError.certificateExpired(subject: name, notAfter: end, caFile: caFile))"
        }
        return
            "certificate not trusted: '\(subject)' does not lead to a certificate in \(caFile): is that the broker's CA? "
            + "Where an intermediate CA issued it, the certificate of that belongs behind the broker's own in the broker's file, "
            + "or into \(caFile)"
    }

    /// One of the authorities, if all have expired. A bundle may well contain some that have.
    private func expiredAuthority(at now: Int64) -> NIOSSLCertificate? {
        let all =
            switch authorities {
            case .file(let path): try? NIOSSLCertificate.fromPEMFile(path)
            case .pem(let bytes, _): try? NIOSSLCertificate.fromPEMBytes(bytes)
            }
        guard let all, all.allSatisfy({ Int64($0.notValidAfter) < now }) else { return nil }
        return all.first
    }

    private func hostNameMismatch(_ certificate: NIOSSLCertificate?) -> String {
        "\(QUICError.hostNameMismatch(expected: serverName, names: certificate.map(names) ?? []))"
    }

    private func commonName(_ certificate: NIOSSLCertificate) -> String {
        let text = "\(certificate)"
        guard let start = text.firstRange(of: "common_name=")?.upperBound else {
            return names(certificate).first ?? "without a name"
        }
        return String(text[start...].prefix { $0 != ";" && $0 != ">" })
    }

    private func names(_ certificate: NIOSSLCertificate) -> [String] {
        certificate._subjectAlternativeNames().compactMap { name in
            name.contents.withUnsafeBufferPointer { bytes in
                switch name.nameType {
                case .dnsName: String(decoding: bytes, as: UTF8.self)
                case .ipAddress: try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress
                default: nil
                }
            }
        }
    }
}

private func seconds(_ duration: Duration) -> String {
    let (whole, fraction) = duration.components
    let tenths = fraction / 100_000_000_000_000_000
    return tenths == 0 ? "\(whole) s" : "\(whole).\(tenths) s"
}
