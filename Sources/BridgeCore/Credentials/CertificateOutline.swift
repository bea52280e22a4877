/// What can be said of a certificate without knowing whom it is shown to.
package struct CertificateOutline: Sendable, Equatable {
    /// The distinguished names.
    package var subject: String
    package var issuer: String
    /// Seconds since 1970.
    package var notBefore: Int64
    package var notAfter: Int64

    package init(subject: String, issuer: String, notBefore: Int64 = 0, notAfter: Int64 = .max) {
        self.subject = subject
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    package var isSelfIssued: Bool { subject == issuer }

    /// What of its time an operator has to be told.
    package enum Time: Sendable, Equatable {
        case expired
        case notYetValid
        /// So many whole days are left.
        case expiresSoon(days: Int)
    }

    /// Days before its end from which on a certificate is to be renewed.
    package static let warningDays: Int64 = 14

    /// `nil` where all is well.
    package func time(at now: Int64) -> Time? {
        if now >= notAfter { return .expired }
        if now < notBefore { return .notYetValid }
        let left = notAfter - now
        return left <= Self.warningDays * 86_400 ? .expiresSoon(days: Int(left / 86_400)) : nil
    }
}

/// A certificate and those behind it, as a file has them.
package enum CertificateChain {
    /// What is wrong with the order; `nil` where each is followed by its issuer (RFC 8446 4.4.2). The first is taken for
    /// the one that the key belongs to.
    package static func problem(with chain: [CertificateOutline]) -> String? {
        for index in chain.indices.dropLast() {
            let (this, next) = (chain[index], chain[index + 1])
            if this.issuer == next.subject, !this.isSelfIssued { continue }
            let place = "number \(index + 2) of the file ('\(next.subject)')"
            if this.isSelfIssued {
                return "\(place) has no business behind '\(this.subject)', which is a root; remove it"
            }
            if let right = chain.firstIndex(where: { $0.subject == this.issuer }) {
                return "the certificates are in the wrong order: behind '\(this.subject)' belongs its issuer "
                    + "'\(this.issuer)', which is number \(right + 1), and not \(place)"
            }
            return
                "the certificate of '\(this.issuer)', the issuer of '\(this.subject)', is missing; it belongs behind that "
                + "one, before \(place)"
        }
        return nil
    }

    /// Who issued the only certificate of a file, where that is not known to be a root: when it is an intermediate,
    /// clients that only know the root cannot verify the certificate.
    package static func issuerThatMayBeMissing(in chain: [CertificateOutline]) -> String? {
        guard let only = chain.first, chain.count == 1, !only.isSelfIssued else { return nil }
        return only.issuer
    }
}
