/// The parts of a certificate that can be checked without knowing the peer.
package struct CertificateOutline: Sendable, Equatable {
    /// The distinguished name of the subject.
    package var subject: String
    /// The distinguished name of the issuer.
    package var issuer: String
    /// The beginning of the validity, in seconds since 1970.
    package var notBefore: Int64
    /// The end of the validity, in seconds since 1970.
    package var notAfter: Int64
    /// The subject alternative names: DNS names and IP addresses.
    package var names: [String]
    /// Whether it may sign other certificates; `nil` if it does not say.
    package var isAuthority: Bool?
    /// Whether it has an extended key usage that does not include TLS servers.
    package var excludesServers: Bool

    package init(
        subject: String, issuer: String, notBefore: Int64 = 0, notAfter: Int64 = .max, names: [String] = [],
        isAuthority: Bool? = nil, excludesServers: Bool = false
    ) {
        self.subject = subject
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.names = names
        self.isAuthority = isAuthority
        self.excludesServers = excludesServers
    }

    /// Whether subject and issuer are the same, as in a root certificate.
    package var isSelfIssued: Bool { subject == issuer }

    /// Whether this is the certificate of one of these hosts. In a name, `*` stands for the first label (RFC 6125 6.4.3).
    package func names(anyOf hosts: [String]) -> Bool {
        let own = names.map { $0.lowercased() }
        return hosts.contains { host in
            let host = host.lowercased()
            let parent = host.firstIndex(of: ".").map { "*" + host[$0...] }
            return own.contains(host) || parent.map(own.contains) ?? false
        }
    }

    /// What an operator has to be told about the validity of a certificate.
    package enum Time: Sendable, Equatable {
        case expired
        case notYetValid
        /// The certificate expires in this many whole days.
        case expiresSoon(days: Int)
    }

    /// How many days before its end a certificate should be renewed.
    package static let warningDays: Int64 = 14

    /// What has to be said about the validity at a time, in seconds since 1970; `nil` if nothing has.
    package func time(at now: Int64) -> Time? {
        if now >= notAfter { return .expired }
        if now < notBefore { return .notYetValid }
        let left = notAfter - now
        return left <= Self.warningDays * 86_400 ? .expiresSoon(days: Int(left / 86_400)) : nil
    }
}

/// Checks a certificate and the certificates that follow it in a file.
package enum CertificateChain {
    /// What is wrong with certificates that should vouch for a peer's; one that can is enough. A peer's own certificate
    /// may stand in the place of its CA's.
    ///
    /// - Parameter hosts: The names that the peer's certificate may have.
    package static func problem(withAuthorities all: [CertificateOutline], for hosts: [String]) -> String? {
        guard let first = all.first, all.allSatisfy({ $0.isAuthority == false && !$0.names(anyOf: hosts) }) else {
            return nil
        }
        return
            "the certificate '\(first.subject)' is not that of a CA (CA:FALSE), so it vouches for no other one; unless "
            + "it is the broker's own, use the certificate of its issuer '\(first.issuer)'"
    }

    /// What keeps clients from accepting the first certificate as a server's.
    package static func problem(withServer chain: [CertificateOutline]) -> String? {
        guard let own = chain.first, own.excludesServers else { return nil }
        return
            "the certificate '\(own.subject)' is not for servers, so clients refuse it: its extended key usage lacks "
            + "serverAuth; have it issued again with that"
    }

    /// What is wrong with the order; `nil` if each certificate is followed by its issuer's (RFC 8446 4.4.2). The key is
    /// assumed to belong to the first certificate.
    package static func problem(with chain: [CertificateOutline]) -> String? {
        for index in chain.indices.dropLast() {
            let (this, next) = (chain[index], chain[index + 1])
            if this.issuer == next.subject, !this.isSelfIssued { continue }
            let place = "number \(index + 2) of the file ('\(next.subject)')"
            if this.isSelfIssued {
                return "\(place) must not follow '\(this.subject)', which is a root; remove it"
            }
            if let right = chain.firstIndex(where: { $0.subject == this.issuer }) {
                return "the certificates are in the wrong order: '\(this.subject)' has to be followed by its issuer "
                    + "'\(this.issuer)', which is number \(right + 1), and not by \(place)"
            }
            return "the certificate of '\(this.issuer)' is missing; it belongs between that of '\(this.subject)', "
                + "which it issued, and \(place)"
        }
        return nil
    }

    /// The issuer of a file's only certificate, unless the certificate is a root. If that issuer is an intermediate
    /// authority, clients that only know the root cannot verify the certificate.
    package static func issuerThatMayBeMissing(in chain: [CertificateOutline]) -> String? {
        guard let only = chain.first, chain.count == 1, !only.isSelfIssued else { return nil }
        return only.issuer
    }
}
