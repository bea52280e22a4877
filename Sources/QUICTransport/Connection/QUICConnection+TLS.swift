import CNGTCP2

// What the peer showed in the handshake.
extension QUICConnection {
    package var negotiatedALPN: String? { tlsText(BQ_TLS_ALPN) }

    package var tlsInfo: QUICTLSInfo? {
        guard let version = tlsText(BQ_TLS_VERSION), let cipher = tlsText(BQ_TLS_CIPHER) else { return nil }
        return QUICTLSInfo(
            version: version, cipher: cipher, group: tlsText(BQ_TLS_GROUP) ?? "unknown",
            peerCertificates: (0..<bq_conn_cert_count(conn)).map(certificate))
    }

    /// What is wrong with the peer's certificate; nil where nothing is.
    var certificateFault: QUICError? {
        var fault = BQ_CERT_FINE
        let why = Self.read { fault = bq_conn_cert_fault(conn, $0, $1) }
        let certificate = certificate(0)
        switch fault {
        case BQ_CERT_NOT_TRUSTED:
            return .certificateNotTrusted(
                subject: certificate.subject, issuer: certificate.issuer, caFile: tls.caFile)
        case BQ_CERT_WRONG_NAME:
            return .hostNameMismatch(expected: serverName ?? "", names: certificate.names)
        case BQ_CERT_EXPIRED:
            return .certificateExpired(subject: certificate.subject, notAfter: certificate.notAfter)
        case BQ_CERT_NOT_YET_VALID:
            return .certificateNotYetValid(subject: certificate.subject, notBefore: certificate.notBefore)
        case BQ_CERT_UNACCEPTABLE:
            return .certificateUnacceptable(subject: certificate.subject, reason: why)
        default:
            return nil
        }
    }

    private func certificate(_ index: Int) -> QUICCertificate {
        var validity: (before: Int64, after: Int64) = (0, 0)
        _ = bq_conn_cert_validity(conn, index, &validity.before, &validity.after)
        // More names than this are of no help to anybody.
        let names = (0..<100).lazy.map { self.name($0, of: index) }.prefix { $0 != nil }.compactMap { $0 }
        return QUICCertificate(
            subject: certificateText(BQ_CERT_SUBJECT, index), issuer: certificateText(BQ_CERT_ISSUER, index),
            names: Array(names), notBefore: validity.before, notAfter: validity.after,
            key: certificateText(BQ_CERT_KEY, index))
    }

    private func name(_ nameIndex: Int, of index: Int) -> String? {
        var isThere = false
        let name = Self.read { isThere = bq_conn_cert_name(conn, index, nameIndex, $0, $1) != 0 }
        return isThere ? name : nil
    }

    private func certificateText(_ which: bq_cert_text, _ index: Int) -> String {
        Self.read { _ = bq_conn_cert_text(conn, index, which, $0, $1) }
    }

    private func tlsText(_ which: bq_tls_text) -> String? {
        var isThere = false
        let text = Self.read { isThere = bq_conn_tls_text(conn, which, $0, $1) != 0 }
        return isThere ? text : nil
    }

    private static func read(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Void) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
            buffer.initialize(repeating: 0)
            body(buffer.baseAddress, buffer.count)
            return text(buffer)
        }
    }
}
