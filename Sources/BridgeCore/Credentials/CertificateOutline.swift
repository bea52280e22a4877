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

    package init(subject: String, issuer: String, notBefore: Int64 = 0, notAfter: Int64 = .max) {
        self.subject = subject
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Whether subject and issuer are the same, as in a root certificate.
    package var isSelfIssued: Bool { subject == issuer }

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
