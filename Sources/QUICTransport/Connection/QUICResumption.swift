/// What a client keeps of one connection to make the next one to the same server shorter: a ticket with its keys, and
/// what it has to remember of the server beside it (RFC 9000 7.4.1). A secret, good for a day at most; better used once,
/// so that nobody who watches can tell that two connections are of one client (RFC 8446 C.4).
package struct QUICResumption: Sendable, Equatable {
    /// GnuTLS's.
    let session: [UInt8]
    let earlyParameters: [UInt8]
    /// The name that the server's certificate was verified against, and a digest of the authorities.
    let serverName: String
    let trust: [UInt8]
    /// What the server chose.
    package let alpn: String
    /// Whether the server is ready for early data.
    package let allowsEarlyData: Bool

    /// Whether it stands for a certificate that this connection would accept.
    func fits(serverName: String, tls: QUICTLSContext) -> Bool {
        self.serverName == serverName && trust == tls.trust
    }
}

extension QUICResumption: CustomStringConvertible, CustomReflectable {
    package var description: String { "QUICResumption(alpn: \(alpn), allowsEarlyData: \(allowsEarlyData))" }
    package var customMirror: Mirror { Mirror(self, children: ["alpn": alpn, "allowsEarlyData": allowsEarlyData]) }
}
