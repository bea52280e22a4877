/// What a client keeps of one connection to make the next one to the same server shorter: a ticket with its keys, and
/// what it has to remember of the server beside it (RFC 9000 7.4.1). A secret; better used once, so that nobody who
/// watches can tell that two connections are of one client (RFC 8446 C.4).
package struct QUICResumption: Sendable, Equatable {
    /// Seconds: RFC 8446 4.6.1 lets no ticket live longer.
    static let longestLifetime: UInt32 = 7 * 24 * 60 * 60

    /// GnuTLS's: the ticket, its secret, and when it came, from which GnuTLS reckons its age by the system's clock.
    let session: [UInt8]
    let earlyParameters: [UInt8]
    /// The name that the server's certificate was verified against, and a digest of the authorities.
    let serverName: String
    let trust: [UInt8]
    /// What the server chose.
    package let alpn: String
    /// Whether the server is ready for early data.
    package let allowsEarlyData: Bool
    /// Seconds since 1970, by the system's clock.
    package let receivedAt: Int64
    /// Seconds.
    let lifetime: UInt32

    init(
        session: [UInt8], earlyParameters: [UInt8], serverName: String, trust: [UInt8], alpn: String,
        allowsEarlyData: Bool, receivedAt: Int64, lifetime: UInt32
    ) {
        self.session = session
        self.earlyParameters = earlyParameters
        self.serverName = serverName
        self.trust = trust
        self.alpn = alpn
        self.allowsEarlyData = allowsEarlyData
        self.receivedAt = receivedAt
        self.lifetime = min(lifetime, Self.longestLifetime)
    }

    /// Seconds since 1970, by the system's clock: the server takes it no longer, as far as it has said.
    package var expiresAt: Int64 {
        let (sum, overflow) = receivedAt.addingReportingOverflow(Int64(lifetime))
        return overflow ? .max : sum
    }

    /// Whether it is of no use at this time (seconds since 1970): past its life, or from a future that the clock was set
    /// back from, where its age cannot be told.
    package func isExpired(at time: Int64) -> Bool {
        time >= expiresAt || time < receivedAt
    }

    /// Whether it stands for a certificate that this connection would accept.
    func fits(serverName: String, tls: QUICTLSContext) -> Bool {
        self.serverName == serverName && trust == tls.trust
    }
}

extension QUICResumption: CustomStringConvertible, CustomReflectable {
    package var description: String { "QUICResumption(alpn: \(alpn), allowsEarlyData: \(allowsEarlyData))" }
    package var customMirror: Mirror { Mirror(self, children: ["alpn": alpn, "allowsEarlyData": allowsEarlyData]) }
}
