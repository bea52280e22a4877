import CNGTCP2

/// Certificates and keys, loaded once and shared by all connections that use them, from any thread: after loading they
/// are only read.
package final class QUICTLSContext: @unchecked Sendable {
    let credentials: OpaquePointer
    /// For messages; empty where no CA is configured.
    let caFile: String
    /// A certificate of our own is shown to peers that ask for one.
    private(set) var showsCertificate = false
    /// A server's: clients must show a certificate that leads to a CA in this context.
    let demandsClientCertificate: Bool
    /// A server's. Nil: it gives out no tickets.
    let ticketKey: QUICTicketKey?
    /// A server's. Nil: it takes no early data.
    let antiReplay: QUICAntiReplay?

    private init(
        caFile: String?, demandsClientCertificate: Bool, ticketKey: QUICTicketKey? = nil,
        antiReplay: QUICAntiReplay? = nil
    ) throws(QUICError) {
        guard let credentials = bridge_quic_credentials_new() else {
            throw .internalError(operation: "allocating TLS credentials", code: 0)
        }
        self.credentials = credentials
        self.caFile = caFile ?? ""
        self.demandsClientCertificate = demandsClientCertificate
        self.ticketKey = ticketKey
        self.antiReplay = antiReplay
    }

    deinit {
        bridge_quic_credentials_free(credentials)
    }

    /// - Parameters:
    ///   - caFile: PEM certificates, one of which the server's chain must lead to.
    ///   - certificateFile: the client's own chain in PEM, its own certificate first; with `keyFile` or not at all.
    ///   - keyLogFile: TLS secrets are appended to it, for Wireshark. Whoever can read it can read the traffic.
    package static func client(
        caFile: String,
        certificateFile: String? = nil,
        keyFile: String? = nil,
        keyLogFile: String? = nil
    ) throws(QUICError) -> QUICTLSContext {
        let context = try QUICTLSContext(caFile: caFile, demandsClientCertificate: false)
        try context.loadCA(caFile)
        switch (certificateFile, keyFile) {
        case (let certificateFile?, let keyFile?):
            try context.loadKeyPair(certificateFile: certificateFile, keyFile: keyFile)
        case (let certificateFile?, nil):
            throw .fileUnreadable(path: certificateFile, why: "a certificate needs its key, and no key file is given")
        case (nil, let keyFile?):
            throw .fileUnreadable(path: keyFile, why: "a key needs its certificate, and no certificate file is given")
        case (nil, nil):
            break
        }
        try context.openKeyLog(keyLogFile)
        return context
    }

    /// - Parameters:
    ///   - clientCAFile: where given, clients must show a certificate that leads to one in it.
    ///   - ticketKey: where given, each client gets a ticket that makes its next handshake shorter. Tickets hold what
    ///     the client's certificate proved, and are of no use once the client CAs, the protocols or the limits of the
    ///     `QUICConfiguration` are others.
    ///   - antiReplay: beside a ticket key, lets clients send before the handshake is through (0-RTT). Not where they
    ///     must show a certificate: who they are is only known then.
    package static func server(
        certificateFile: String,
        keyFile: String,
        clientCAFile: String? = nil,
        keyLogFile: String? = nil,
        ticketKey: QUICTicketKey? = nil,
        antiReplay: QUICAntiReplay? = nil
    ) throws(QUICError) -> QUICTLSContext {
        let context = try QUICTLSContext(
            caFile: clientCAFile, demandsClientCertificate: clientCAFile != nil, ticketKey: ticketKey,
            antiReplay: antiReplay)
        try context.loadKeyPair(certificateFile: certificateFile, keyFile: keyFile)
        if let clientCAFile {
            try context.loadCA(clientCAFile)
        }
        try context.openKeyLog(keyLogFile)
        return context
    }

    /// Tells one set of authorities from another.
    package var trust: [UInt8] {
        Array(
            UnsafeBufferPointer(
                start: bridge_quic_credentials_ca_digest(credentials), count: Int(BRIDGE_QUIC_CA_DIGEST_LENGTH)))
    }

    private func loadCA(_ path: String) throws(QUICError) {
        let (isLoaded, why) = withReason { bridge_quic_credentials_load_ca(credentials, path, $0) }
        guard isLoaded else { throw .fileUnreadable(path: path, why: why) }
    }

    private func loadKeyPair(certificateFile: String, keyFile: String) throws(QUICError) {
        var isKeyAtFault = false
        let (isLoaded, why) = withReason {
            bridge_quic_credentials_load_key_pair(credentials, certificateFile, keyFile, &isKeyAtFault, $0)
        }
        guard isLoaded else { throw .fileUnreadable(path: isKeyAtFault ? keyFile : certificateFile, why: why) }
        showsCertificate = true
    }

    private func openKeyLog(_ path: String?) throws(QUICError) {
        guard let path else { return }
        let (isOpen, why) = withReason { bridge_quic_credentials_open_key_log(credentials, path, $0) }
        guard isOpen else { throw .fileUnreadable(path: path, why: why) }
    }
}

/// Calls with room for a text ending in NUL, and returns the text beside the result.
func withReason<Result>(_ body: (UnsafeMutablePointer<CChar>?) -> Result) -> (Result, String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(BRIDGE_QUIC_WHY_CAPACITY)) { space in
        space.initialize(repeating: 0)
        let result = body(space.baseAddress)
        let text = space.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return (result, String(decoding: text, as: UTF8.self))
    }
}
