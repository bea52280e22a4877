import CNGTCP2

/// Certificates and keys. They are loaded once and shared by all connections that use them, from any thread: after
/// loading they are only read.
package final class QUICTLSContext: @unchecked Sendable {
    let credentials: OpaquePointer
    /// For messages; empty if no CA is configured.
    let caFile: String
    /// Whether this side has a certificate for peers that ask for one.
    private(set) var showsCertificate = false
    /// Servers only: whether clients must send a certificate that leads to a CA in this context.
    let demandsClientCertificate: Bool
    /// Servers only. Without it they issue no tickets.
    let ticketKey: QUICTicketKey?
    /// Servers only. Without it they accept no early data.
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

    /// Loads what a client needs.
    ///
    /// - Parameters:
    ///   - caFile: PEM certificates, to one of which the server's chain must lead.
    ///   - certificateFile: The client's chain in PEM, its own certificate first. Requires `keyFile`, and vice versa.
    ///   - keyLogFile: TLS secrets are appended to this file, for Wireshark. Whoever can read it can read the traffic.
    /// - Throws: `fileUnreadable`, which names the file and what is wrong with it.
    package static func client(
        caFile: String, certificateFile: String? = nil, keyFile: String? = nil, keyLogFile: String? = nil
    ) throws(QUICError) -> QUICTLSContext {
        let context = try QUICTLSContext(caFile: caFile, demandsClientCertificate: false)
        try context.loadCA(caFile)
        try context.loadOwn(certificateFile: certificateFile, keyFile: keyFile)
        try context.openKeyLog(keyLogFile)
        return context
    }

    /// The same with authorities that are in memory.
    ///
    /// - Parameters:
    ///   - caText: PEM certificates.
    ///   - name: What messages call them.
    package static func client(
        caText: [UInt8], name: String, certificateFile: String? = nil, keyFile: String? = nil
    ) throws(QUICError) -> QUICTLSContext {
        let context = try QUICTLSContext(caFile: name, demandsClientCertificate: false)
        let (isLoaded, why) = withReason { why in
            (caText + [0]).withUnsafeBufferPointer {
                bridge_quic_credentials_add_ca_text(context.credentials, $0.baseAddress, caText.count, why)
            }
        }
        guard isLoaded else { throw .fileUnreadable(path: name, why: why) }
        try context.loadOwn(certificateFile: certificateFile, keyFile: keyFile)
        return context
    }

    private func loadOwn(certificateFile: String?, keyFile: String?) throws(QUICError) {
        switch (certificateFile, keyFile) {
        case (let certificateFile?, let keyFile?):
            try loadKeyPair(certificateFile: certificateFile, keyFile: keyFile)
        case (let certificateFile?, nil):
            throw .fileUnreadable(path: certificateFile, why: "a certificate needs its key, and no key file is given")
        case (nil, let keyFile?):
            throw .fileUnreadable(path: keyFile, why: "a key needs its certificate, and no certificate file is given")
        case (nil, nil):
            break
        }
    }

    /// Loads what a server needs.
    ///
    /// - Parameters:
    ///   - clientCAFile: If given, clients must send a certificate that leads to one in this file.
    ///   - keyLogFile: As for a client.
    ///   - ticketKey: If given, each client gets a ticket that shortens its next handshake. Tickets hold what the
    ///     client's certificate proved. They become useless if the client CAs, the protocols or the limits of the
    ///     `QUICConfiguration` change.
    ///   - antiReplay: If given together with a ticket key, clients may send before the handshake has completed
    ///     (0-RTT), unless they must send a certificate: their identity is not known before.
    /// - Throws: `fileUnreadable`, which names the file and what is wrong with it.
    package static func server(
        certificateFile: String, keyFile: String, clientCAFile: String? = nil, keyLogFile: String? = nil,
        ticketKey: QUICTicketKey? = nil, antiReplay: QUICAntiReplay? = nil
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

    /// A digest that tells one set of authorities from another.
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

/// Calls `body` with room for a NUL-terminated text, and returns its result and the text.
func withReason<Result>(_ body: (UnsafeMutablePointer<CChar>?) -> Result) -> (Result, String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(BRIDGE_QUIC_WHY_CAPACITY)) { space in
        space.initialize(repeating: 0)
        let result = body(space.baseAddress)
        let text = space.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return (result, String(decoding: text, as: UTF8.self))
    }
}
