import NIOCore
import Testing

@testable import QUICTransport

@Suite struct ValueTests {
    @Test func connectionIDsKeepTheirBytes() throws {
        for length in 0...20 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: 0xe0 + $0) }
            let id = try #require(QUICConnectionID(bytes))
            #expect(id.bytes == bytes)
            #expect(id.count == length)
            #expect(id == QUICConnectionID(bytes))
            if length > 0 {
                #expect(id != QUICConnectionID(bytes.dropLast() + [0]))
                #expect(id != QUICConnectionID(bytes.dropLast()))
            }
        }
        #expect(QUICConnectionID([UInt8](repeating: 0, count: 21)) == nil)
        #expect(QUICConnectionID([0x0a, 0xff])?.description == "0aff")
        #expect(MemoryLayout<QUICConnectionID>.size <= 24)
    }

    @Test(
        arguments: [
            ([], nil),
            ([0x40], nil),
            ([0x40, 1, 2, 3, 4, 5, 6, 7], nil),
            ([0x40, 1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]),
            ([0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9], [1, 2, 3, 4, 5, 6, 7, 8]),
            ([0xc0, 0, 0, 0, 1], nil),
            ([0xc0, 0, 0, 0, 1, 3, 7, 8], nil),
            ([0xc0, 0, 0, 0, 1, 3, 7, 8, 9], [7, 8, 9]),
            ([0xc0, 0, 0, 0, 1, 0, 4], []),
            ([0xc0, 0, 0, 0, 1, 255] + [UInt8](repeating: 1, count: 300), nil),
        ] as [([UInt8], [UInt8]?)])
    func headersArePeekedInto(datagram: [UInt8], id: [UInt8]?) {
        let found = QUICPacketHeader.destinationConnectionID(of: ByteBuffer(bytes: datagram))
        #expect(found?.bytes == id)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_709_251_199, "2024-02-29T23:59:59Z"),
        (1_795_509_000, "2026-11-24T08:30:00Z"),
        (4_102_444_800, "2100-01-01T00:00:00Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
    ])
    func timesAreWritten(seconds: Int64, text: String) {
        #expect(UTCTime(seconds).description == text)
    }

    @Test(arguments: [
        (
            QUICError.noAnswer(remote: "192.0.2.1:14567", after: .seconds(5)),
            "no answer from 192.0.2.1:14567 over UDP within 5 s: is the port open in the firewall, and does the broker "
                + "listen there?"
        ),
        (
            .handshakeTimeout(remote: "[2001:db8::1]:14567", after: .milliseconds(2500)),
            "[2001:db8::1]:14567 answered, but the QUIC handshake did not finish within 2.5 s: is the network very lossy "
                + "or slow, or does a firewall drop large UDP datagrams?"
        ),
        (
            .transportError(code: 0xa, reason: "", isRemote: true),
            "QUIC transport error PROTOCOL_VIOLATION (0xa) from the peer"
        ),
        (
            .transportError(code: 0x1234, reason: "odd", isRemote: false),
            "QUIC transport error 0x1234 from this side: odd"
        ),
        (
            .tlsAlert(code: 40, description: "Handshake failed", isRemote: true),
            "TLS handshake failed: the peer raised alert 40 (Handshake failed)"
        ),
        (.connectionRefused(reason: ""), "the broker refuses connections now: is it overloaded or shutting down?"),
        (
            .hostNameMismatch(expected: "a", names: []),
            "the certificate's host names are (none), not 'a': is the configured host right?"
        ),
    ])
    func errorsSayWhatToCheck(error: QUICError, text: String) {
        #expect(error.description == text)
    }
}
