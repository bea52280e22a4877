/// What a client keeps of one connection to shorten the handshake of the next one to the same server: a ticket with its
/// keys, and the server's transport parameters (RFC 9000 7.4.1). This is secret. It should be used only once, because
/// an observer could otherwise tell that two connections belong to the same client (RFC 8446 C.4).
package struct QUICResumption: Sendable, Equatable {
    /// In seconds. No ticket may live longer (RFC 8446 4.6.1).
    static let longestLifetime: UInt32 = 7 * 24 * 60 * 60

    /// GnuTLS's data: the ticket, its secret, and when it came. GnuTLS derives the ticket's age from the system's
    /// clock.
    let session: [UInt8]
    /// What ngtcp2 has to remember of the server's transport parameters.
    let earlyParameters: [UInt8]
    /// The name that the server's certificate was verified against.
    let serverName: String
    /// A digest of the authorities that it was verified against.
    let trust: [UInt8]
    /// The protocol that the server chose.
    package let alpn: String
    /// Whether the server accepts early data.
    package let allowsEarlyData: Bool
    /// Seconds since 1970, by the system's clock.
    package let receivedAt: Int64
    /// In seconds.
    let lifetime: UInt32

    /// A lifetime above seven days becomes seven days.
    package init(
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

    /// When the server stops accepting the ticket, as far as it has said: in seconds since 1970, by the system's clock.
    package var expiresAt: Int64 {
        let (sum, overflow) = receivedAt.addingReportingOverflow(Int64(lifetime))
        return overflow ? .max : sum
    }

    /// Whether the ticket is useless at this time, in seconds since 1970. It is if it has expired, and also if it comes
    /// from the future, because the clock was set back: its age is unknown then.
    package func isExpired(at time: Int64) -> Bool {
        time >= expiresAt || time < receivedAt
    }

    /// Whether the ticket stands for a certificate that this connection would accept.
    func fits(serverName: String, tls: QUICTLSContext) -> Bool {
        self.serverName == serverName && trust == tls.trust
    }
}

extension QUICResumption: CustomStringConvertible, CustomReflectable {
    package var description: String { "QUICResumption(alpn: \(alpn), allowsEarlyData: \(allowsEarlyData))" }
    /// Keeps secrets out of dumps.
    package var customMirror: Mirror { Mirror(self, children: ["alpn": alpn, "allowsEarlyData": allowsEarlyData]) }
}
