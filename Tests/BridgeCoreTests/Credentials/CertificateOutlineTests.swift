import BridgeCore
import Testing

@Suite struct CertificateOutlineTests {
    private static let day: Int64 = 86_400

    @Test(
        arguments: [
            (Int64(0), nil), (49 * day, nil), (86 * day - 1, nil),
            (86 * day, CertificateOutline.Time.expiresSoon(days: 14)),
            (98 * day + 1, .expiresSoon(days: 1)), (99 * day + 1, .expiresSoon(days: 0)),
            (100 * day - 1, .expiresSoon(days: 0)),
            (100 * day, .expired), (200 * day, .expired), (-1, .notYetValid),
        ] as [(Int64, CertificateOutline.Time?)])
    func time(_ now: Int64, _ expected: CertificateOutline.Time?) {
        let certificate = CertificateOutline(subject: "a", issuer: "b", notBefore: 0, notAfter: 100 * Self.day)
        #expect(certificate.time(at: now) == expected)
    }

    private static func leaf(_ names: String...) -> CertificateOutline {
        CertificateOutline(subject: "leaf", issuer: "ca", names: names, isAuthority: false)
    }

    @Test(
        arguments: [
            ([leaf("other.test")], true), ([leaf()], true), ([], false),
            // One that can vouch is enough, also one that does not say.
            ([leaf(), CertificateOutline(subject: "ca", issuer: "ca", isAuthority: true)], false),
            ([leaf(), CertificateOutline(subject: "ca", issuer: "ca")], false),
            // The broker's own certificate.
            ([leaf("a.test", "Broker.test")], false), ([leaf("*.test")], false), ([leaf("192.0.2.1")], false),
            ([leaf("*.broker.test")], true), ([leaf("*")], true),
        ] as [([CertificateOutline], Bool)])
    func certificatesThatVouchForNoOther(_ all: [CertificateOutline], _ isWrong: Bool) {
        let problem = CertificateChain.problem(withAuthorities: all, for: ["broker.test", "192.0.2.1"])
        #expect((problem != nil) == isWrong)
        if isWrong { #expect(problem?.contains("'leaf' is not that of a CA (CA:FALSE)") == true) }
    }

    @Test func aCertificateThatIsNotForServers() {
        var own = Self.leaf("broker.test")
        #expect(CertificateChain.problem(withServer: [own]) == nil)
        own.excludesServers = true
        #expect(CertificateChain.problem(withServer: [own])?.contains("serverAuth") == true)
        #expect(CertificateChain.problem(withServer: [Self.leaf(), own]) == nil)
    }

    private static func chain(_ names: String) -> [CertificateOutline] {
        names.split(separator: " ").map { pair in
            let parts = pair.split(separator: "<").map(String.init)
            return CertificateOutline(subject: parts[0], issuer: parts[1])
        }
    }

    /// `leaf<middle` is a certificate that `middle` issued for `leaf`.
    @Test(arguments: [
        ("leaf<root", nil), ("leaf<middle middle<root", nil), ("leaf<middle middle<root root<root", nil), ("a<a", nil),
        (
            "leaf<middle root<root middle<root",
            "the certificates are in the wrong order: 'leaf' has to be followed by its issuer 'middle', which is number 3, "
                + "and not by number 2 of the file ('root')"
        ),
        (
            "leaf<middle root<root",
            "the certificate of 'middle' is missing; it belongs between that of 'leaf', which it issued, and number 2 of "
                + "the file ('root')"
        ),
        (
            "leaf<root root<root other<root",
            "number 3 of the file ('other') must not follow 'root', which is a root; remove it"
        ),
    ])
    func order(_ names: String, _ expected: String?) {
        #expect(CertificateChain.problem(with: Self.chain(names)) == expected)
    }

    @Test(arguments: [("leaf<middle", "middle"), ("a<a", nil), ("leaf<middle middle<root", nil), ("", nil)])
    func anIssuerThatMayBeMissing(_ names: String, _ expected: String?) {
        #expect(CertificateChain.issuerThatMayBeMissing(in: Self.chain(names)) == expected)
    }
}
