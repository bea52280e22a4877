import QUICTransport
import Testing

@testable import BrokerProbe

struct ProbeFailureTests {
    @Test(arguments: [
        (QUICError.noAnswer(remote: "a:1", after: .seconds(5)), ProbeFailure.Kind.unreachable),
        (.unreachable(remote: "a:1", reason: "no route"), .unreachable),
        (.certificateNotTrusted(subject: "s", issuer: "i", caFile: "f"), .certificate),
        (.hostNameMismatch(expected: "a", names: ["b"]), .certificate),
        (.certificateExpired(subject: "s", notAfter: 0), .certificate),
        (.peerCertificateMissing, .certificate),
        (.clientCertificateRequired, .refused), (.clientCertificateRefused(alert: 42, description: "bad"), .refused),
        (.alpnRefused(offered: ["mqtt"]), .protocol), (.versionNegotiationFailed(offered: [1]), .protocol),
        (.connectionRefused(reason: ""), .busy), (.applicationClosed(code: 2, reason: ""), .busy),
        (.applicationClosed(code: 1, reason: ""), .broken), (.statelessReset, .broken),
        (.handshakeTimeout(remote: "a:1", after: .seconds(5)), .broken),
        (.tlsAlert(code: 40, description: "handshake failure", isRemote: true), .broken),
        (.fileUnreadable(path: "ca.pem", why: "gone"), .file),
        (.internalError(operation: "x", code: 1), .internal),
    ])
    func everyErrorHasAClass(error: QUICError, kind: ProbeFailure.Kind) {
        let failure = ProbeFailure(error)
        #expect(failure.kind == kind)
        #expect(failure.reason == error.description)
    }

    /// Scripts rely on these numbers.
    @Test func everyClassHasItsOwnExitCode() {
        let codes = Dictionary(
            uniqueKeysWithValues: ProbeFailure.Kind.allCases.map { ($0.rawValue, $0.exitCode) })
        #expect(
            codes == [
                "fallback": 1, "certificate": 65, "name": 68, "unreachable": 69, "internal": 70, "broken": 74,
                "busy": 75,
                "protocol": 76, "refused": 77, "file": 78,
            ])
        #expect(Set(codes.values).count == codes.count)
        #expect(Set(ProbeFailure.Kind.allCases.map(\.words)).count == codes.count)
    }

    /// If there are several addresses, the one that came furthest says most.
    @Test func theFailureOfTheFurthestAttemptCounts() {
        let order: [ProbeFailure.Kind] = [.unreachable, .busy, .broken, .protocol, .certificate, .refused]
        let progress = order.map { ProbeFailure($0, "").progress }
        #expect(progress == progress.sorted() && Set(progress).count == order.count)
    }
}
