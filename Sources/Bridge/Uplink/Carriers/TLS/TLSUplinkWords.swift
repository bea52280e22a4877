import BridgeCore
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
struct TLSUplinkWords: Sendable {
    /// The host and port of the fallback.
    let remote: String
    /// The name that the certificate has to carry.
    let serverName: String
    let caFile: String
    let hasClientCertificate: Bool

    init(_ fallback: UplinkFallback, _ uplink: UplinkConfiguration) {
        self.remote =
            fallback.host.contains(":") ? "[\(fallback.host)]:\(fallback.port)" : "\(fallback.host):\(fallback.port)"
        self.serverName = fallback.certificateName
        self.caFile = uplink.caFile
        self.hasClientCertificate = uplink.clientCertificateFile != nil
    }

    func noAnswer(_ patience: Duration) -> TLSUplinkError {
        TLSUplinkError(
            .unanswered,
            "no answer from \(remote) over TCP within \(seconds(patience)): is the port open in the firewall, and does the "
                + "broker listen there?")
    }

    func handshakeTimeout(_ patience: Duration) -> TLSUplinkError {
        TLSUplinkError(
            .unanswered,
            "\(remote) took the TCP connection, but the TLS handshake did not finish within \(seconds(patience)): is it a "
                + "TLS port, and the network very lossy or slow?")
    }

    /// - Parameter certificate: The broker's certificate, if it has been received.
    func error(_ error: any Error, certificate: NIOSSLCertificate?) -> TLSUplinkError {
        switch error {
        case let error as TLSUplinkError: error
        case let error as QUICResolutionError: TLSUplinkError(.network, "\(error)")
        case let error as NIOConnectionError: unreachable(error)
        case NIOSSLError.handshakeFailed(let reason): handshake(reason, certificate)
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            TLSUplinkError(.certificate, hostNameMismatch(certificate))
        case NIOSSLError.uncleanShutdown, is IOError, is ChannelError:
            TLSUplinkError(.network, "\(remote) ended the TLS handshake (\(plain(error))): is it a TLS port?")
        default:
            TLSUplinkError(.other, "the TLS connection to \(remote) failed: \(error.inWords)")
        }
    }

    /// Explains the end of a connection that had been ready.
    func loss(_ error: (any Error)?) -> UplinkLoss {
        switch error {
        case let error as BoringSSLError where alert(error) != nil:
            // In TLS 1.3 a server that rejects the client's certificate says so after the handshake. It rejects the
            // connection; no MQTT session is concerned yet.
            .network(description: alert(error)?.description ?? "")
        case NIOSSLError.uncleanShutdown?, nil:
            .network(
                description:
                    "the TCP connection to \(remote) ended without TLS's farewell: has the broker's process died, or "
                    + "does something on the way cut connections?")
        case let error as IOError where error.errnoCode == ETIMEDOUT:
            .network(description: "nothing heard from \(remote): is the network down, or the broker gone?")
        case let error?:
            .network(description: "the TLS connection to \(remote) broke: \(plain(error))")
        }
    }
}

// MARK: - The handshake

extension TLSUplinkWords {
    private func unreachable(_ error: NIOConnectionError) -> TLSUplinkError {
        guard let failure = error.connectionErrors.last else {
            return TLSUplinkError(.network, "\(remote) has no address to connect to")
        }
        if case .connectTimeout(let limit)? = failure.error as? ChannelError { return noAnswer(Duration(limit)) }
        return TLSUplinkError(
            .network,
            "no TCP connection to \(remote): \(failure.error.inWords): is the port right, and does the broker listen there?"
        )
    }

    private func handshake(_ error: BoringSSLError, _ certificate: NIOSSLCertificate?) -> TLSUplinkError {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return TLSUplinkError(.certificate, notAccepted(certificate)) }
        if let alert = alert(error) { return alert }
        if text.contains("UNSUPPORTED_PROTOCOL") { return tooOld }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") || text.contains("UNEXPECTED_RECORD")
        {
            return TLSUplinkError(.other, "\(remote) does not speak TLS: is it the port for MQTT over TLS?")
        }
        if text.contains("EOF during") {
            return TLSUplinkError(
                .network,
                "\(remote) ended the connection in the middle of the TLS handshake: is it the port for MQTT over TLS?")
        }
        return TLSUplinkError(.other, "TLS handshake with \(remote) failed: \(reason(text))")
    }

    /// Explains the alert that the broker raised, if it did.
    private func alert(_ error: BoringSSLError) -> TLSUplinkError? {
        let text = "\(error)"
        guard text.contains("_ALERT_") || text.contains("TLSV1_CERTIFICATE_REQUIRED") else { return nil }
        if text.contains("CERTIFICATE_REQUIRED") {
            return TLSUplinkError(.certificate, "\(QUICError.clientCertificateRequired)")
        }
        if text.contains("NO_APPLICATION_PROTOCOL") {
            return TLSUplinkError(
                .alpnMismatch, "\(remote) does not speak MQTT (ALPN mqtt): is it the port for MQTT over TLS?")
        }
        if text.contains("ALERT_PROTOCOL_VERSION") { return tooOld }
        let name = reason(text).replacing("TLSV1_ALERT_", with: "").replacing("SSLV3_ALERT_", with: "")
            .replacing("_", with: " ").lowercased()
        if hasClientCertificate, ["certificate", "unknown ca", "access denied"].contains(where: name.contains) {
            return TLSUplinkError(
                .certificate,
                "the broker does not accept the configured client certificate (\(name)): is it the right one?")
        }
        return TLSUplinkError(.other, "TLS with \(remote) failed: the peer raised an alert (\(name))")
    }

    private var tooOld: TLSUplinkError {
        TLSUplinkError(.other, "\(remote) does not speak TLS 1.3, and nothing older is used: can it be updated?")
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

extension TLSUplinkWords {
    /// BoringSSL does not distinguish between the two possible reasons, but the dates show which one it is.
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
        return
            "certificate not trusted: '\(subject)' does not lead to a certificate in \(caFile): is that the broker's CA? "
            + "Where an intermediate CA issued it, the certificate of that belongs behind the broker's own in the broker's file, "
            + "or into \(caFile)"
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
