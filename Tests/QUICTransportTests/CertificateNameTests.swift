import QUICTransport
import Testing

@Suite struct CertificateNameTests {
    @Test(arguments: [
        ("mqtt.example.com", "mqtt.example.com"), ("mqtt.example.com.", "mqtt.example.com"), ("10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"), ("::1", "::1"),
    ])
    func certificateName(_ host: String, _ expected: String) {
        #expect(CertificateName.of(host) == expected)
    }
}
