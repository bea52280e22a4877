import QUICTransport
import TLSTransport
import Testing

@testable import MQTTQUICClient

@Suite struct LinkStreamsTests {
    private let id = QUICStreamID(rawValue: 4)

    /// Streams whose calls may stand in an expectation.
    private final class Streams {
        var streams = LinkStreams()

        func consumed(_ bytes: Int, on stream: LinkStream) -> Int { streams.consumed(bytes, on: stream) }

        func isWritableAgain(_ stream: LinkStream, backlog: Int) -> Bool {
            streams.isWritableAgain(stream, backlog: backlog)
        }
    }

    @Test func creditIsGivenOnceAndNoMoreThanCame() {
        let all = Streams()
        let stream = all.streams.addData(id)
        all.streams.received(100, on: stream)
        #expect(all.consumed(60, on: stream) == 60)
        #expect(all.consumed(60, on: stream) == 40)
        #expect(all.consumed(1, on: stream) == 0)
        #expect(all.consumed(-1, on: stream) == 0)
    }

    @Test func aClosedStreamIsRememberedUntilItOwesNothing() {
        let all = Streams()
        all.streams.addControl(QUICStreamID(rawValue: 0))
        let stream = all.streams.addData(id)
        all.streams.received(10, on: stream)
        all.streams.close(stream)
        #expect(all.streams[stream] == nil && all.streams.name(of: id) == nil)
        #expect(all.streams.id(of: stream) == id)
        #expect(all.consumed(10, on: stream) == 10)
        #expect(all.streams.id(of: stream) == nil)
        #expect(all.streams.count == 1)
    }

    @Test func streamsThatComeAndGoLeaveNothing() {
        var streams = LinkStreams()
        var names: Set<LinkStream> = []
        for number in 0..<1_000 {
            let stream = streams.addData(QUICStreamID(rawValue: Int64(number * 4)))
            names.insert(stream)
            streams.close(stream)
        }
        #expect(streams.count == 0)
        #expect(names.count == 1_000)
    }

    /// The session is told once that there is room, and only after there was none.
    @Test func roomIsToldOnce() {
        let all = Streams()
        all.streams.addControl(id)
        #expect(!all.isWritableAgain(.control, backlog: 0))
        all.streams.note(.control, backlog: LinkWaterMarks.high - 1)
        #expect(!all.isWritableAgain(.control, backlog: 0))
        // The session stops at exactly this backlog.
        all.streams.note(.control, backlog: LinkWaterMarks.high)
        #expect(!all.isWritableAgain(.control, backlog: LinkWaterMarks.low))
        #expect(all.isWritableAgain(.control, backlog: LinkWaterMarks.low - 1))
        #expect(!all.isWritableAgain(.control, backlog: 0))
    }
}

@Suite struct LinkFailureTests {
    private let target = LinkTarget(host: "broker.example", port: 14567, alpn: "mqtt")

    /// Every error of QUIC says to the caller what happened, and whether to try again.
    @Test(arguments: [
        (QUICError.noAnswer(remote: "192.0.2.1:14567", after: .seconds(5)), "no answer", true),
        (.unreachable(remote: "192.0.2.1:14567", reason: "Network is unreachable"), "Network is unreachable", true),
        (.handshakeTimeout(remote: "192.0.2.1:14567", after: .seconds(5)), "did not finish within 5", true),
        (.certificateNotTrusted(subject: "CN=a", issuer: "CN=b", caFile: "/ca.pem"), "/ca.pem", false),
        (.hostNameMismatch(expected: "broker.example", names: ["other.example"]), "other.example", false),
        (.certificateExpired(subject: "CN=a", notAfter: 0), "expired", false),
        (.clientCertificateRequired, "client certificate", false),
        (.alpnRefused(offered: ["mqtt"]), "mqtt", false),
        (.connectionRefused(reason: ""), "refuses connections now", true),
        (.fileUnreadable(path: "/ca.pem", why: "it is empty"), "/ca.pem", false),
        (.internalError(operation: "x", code: 1), "report", true),
    ])
    func quic(_ cause: QUICError, says: String, isRetryUseful: Bool) {
        let failure = LinkFailure(cause: cause, why: "", kind: .other, on: target)
        #expect("\(failure.error)".contains(says), "\(failure.error)")
        #expect(failure.isRetryUseful == isRetryUseful)
        #expect(failure.obstacle == .connection(ConnectFailure(cause)))
    }

    /// Over QUIC and over TLS, a certificate that is not trusted is said to be so once.
    @Test func aVerdictIsSaidOnce() {
        let cause = QUICError.certificateNotTrusted(subject: "CN=a", issuer: "CN=b", caFile: "/ca.pem")
        for failure in [
            LinkFailure(cause: cause, why: "", kind: .other, on: target),
            LinkFailure(TLSFailure(.certificate, "\(cause)"), on: target),
        ] {
            #expect(
                "\(failure.error)"
                    == "the certificate of broker.example is not trusted: 'CN=a', issued by 'CN=b', does "
                    + "not lead to a certificate in /ca.pem: is that the broker's CA?")
        }
    }

    @Test func aNameThatIsNotFound() {
        let cause = QUICResolutionError(host: "broker.example", reason: "Name or service not known")
        let failure = LinkFailure(cause: cause, why: "", kind: .network, on: target)
        #expect(failure.obstacle == .name)
        #expect(failure.error == .nameNotFound(host: "broker.example", detail: "Name or service not known"))
    }

    @Test func bothWaysAreNamed() {
        let quic = LinkFailure(
            cause: QUICError.noAnswer(remote: "192.0.2.1:14567", after: .seconds(5)), why: "", kind: .other, on: target)
        let closed = LinkFailure(TLSFailure(.network, "nobody listens"), on: target)
        let text = "\(LinkFailure.both(quic, closed, host: "broker.example").error)"
        #expect(text.contains("over QUIC: no answer from 192.0.2.1:14567") && text.contains("over TLS: nobody listens"))
        let refused = LinkFailure(TLSFailure(.certificate, "wrong CA"), on: target)
        #expect(
            LinkFailure.both(quic, refused, host: "broker.example").error
                == .certificateRefused(host: "broker.example", detail: "wrong CA"))
    }

    @Test(arguments: [
        (UInt64(0), true), (1, true), (2, true), (0x388, true), (0x389, true), (0x38B, true), (0x38E, false),
        (0x387, false), (0x300, true), (0x400, true), (UInt64.max >> 2, true),
    ])
    func codes(_ code: UInt64, isRetryUseful: Bool) {
        guard case .lost(let error, let isUseful, let told) = LinkEnd(applicationCode: code, "closed") else {
            Issue.record("it is lost")
            return
        }
        #expect(told == code && isUseful == isRetryUseful)
        #expect((error == .sessionTakenOver) == (code == 0x38E))
    }
}

@Suite struct LinkTrustTests {
    @Test func aSystemWithoutAuthoritiesSaysSo() {
        let error = #expect(throws: QUICError.self) {
            try LinkTrust(.system, systemFiles: ["/nonexistent/a", "/nonexistent/b"])
        }
        #expect(error.map { "\($0)".contains("ca-certificates") } == true)
    }

    @Test func theFirstFileThatIsThereIsUsed() throws {
        #expect(try LinkTrust(.system, systemFiles: ["/nonexistent/a", "/etc/passwd"]) == .file("/etc/passwd"))
        #expect(try LinkTrust(.file("/ca.pem")) == .file("/ca.pem"))
        #expect(try LinkTrust(.pem("text")) == .pem(Array("text".utf8)))
    }
}
