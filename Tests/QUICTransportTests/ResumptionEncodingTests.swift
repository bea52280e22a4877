import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

@Suite struct ResumptionEncodingTests {
    private static func sample(_ change: (inout [UInt8]) -> Void = { _ in }) -> QUICResumption {
        var session = [UInt8](0..<200)
        change(&session)
        return QUICResumption(
            session: session, earlyParameters: [1, 2, 3], serverName: "broker.test",
            trust: [UInt8](repeating: 7, count: 32), alpn: "mqtt", allowsEarlyData: true,
            receivedAt: 1_795_000_000, lifetime: 7_200)
    }

    @Test(arguments: [true, false])
    func whatIsWrittenIsReadBack(isEarly: Bool) throws {
        let tls = try TestCertificates.shared.server(
            ticketKey: QUICTicketKey(), antiReplay: isEarly ? QUICAntiReplay() : nil)
        let ticket = try Simulation.resumption(serverTLS: tls)
        let read = try #require(QUICResumption(encoded: ticket.encoded))
        #expect(read == ticket)
        #expect(QUICResumption(encoded: ticket.encoded[...]) == ticket)
        let simulation = try Simulation(serverTLS: tls, resumption: read, earlyData: true)
        let id = try simulation.client.openStream()
        #expect((id != nil) == isEarly)
        if let id { simulation.client.write(id, ByteBuffer(string: "CONNECT"), fin: false) }
        #expect(simulation.run(for: .seconds(1)) { simulation.client.isHandshakeConfirmed })
        #expect(simulation.client.isResumed && simulation.client.isEarlyDataAccepted == isEarly)
    }

    /// GnuTLS keeps the time of receipt with the ticket, by the system's clock, so its age is right in another process,
    /// too.
    @Test func theAgeOfATicketGoesWithIt() throws {
        let tls = try TestCertificates.shared.server(ticketKey: QUICTicketKey())
        let ticket = try Simulation.resumption(serverTLS: tls)
        let times = (ticket.receivedAt - 1...ticket.receivedAt).map { time in
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: time).bigEndian) { Array($0) }
        }
        #expect(
            ticket.session.indices.contains { index in times.contains(Array(ticket.session[index...].prefix(4))) })
    }

    @Test func noDamageIsTaken() throws {
        let good = Self.sample().encoded
        #expect(QUICResumption(encoded: good) != nil)
        for index in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[index] ^= UInt8(1 << bit)
                #expect(QUICResumption(encoded: bad) == nil, "bit \(bit) of byte \(index)")
            }
            #expect(QUICResumption(encoded: good.prefix(index)) == nil)
            #expect(QUICResumption(encoded: good.dropFirst(index + 1)) == nil)
        }
        #expect(QUICResumption(encoded: good + [0]) == nil)
        #expect(QUICResumption(encoded: [UInt8](repeating: 0, count: QUICResumption.maximumEncodedLength + 1)) == nil)
    }

    /// Lengths are checked even if the digest is right.
    @Test func noLengthIsBelieved() throws {
        let content = Array(Self.sample().encoded.dropLast(32))
        #expect(QUICResumption(encoded: QUICResumption.sealed(content)) == Self.sample())
        for count in content.indices {
            #expect(QUICResumption(encoded: QUICResumption.sealed(Array(content.prefix(count)))) == nil)
        }
        #expect(QUICResumption(encoded: QUICResumption.sealed(content + [0])) == nil)
        var random = SplitMix64(seed: 9)
        for _ in 0..<5_000 {
            var bytes = content
            for _ in 0...random.next() % 3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = QUICResumption(encoded: QUICResumption.sealed(bytes))
        }
    }

    @Test func anotherWritersBytesAreRefused() {
        let ticket = Self.sample()
        #expect(QUICResumption(encoded: ticket.encoded(by: QUICResumption.writer)) == ticket)
        #expect(QUICResumption(encoded: ticket.encoded(by: QUICResumption.writer + " ")) == nil)
        #expect(QUICResumption(encoded: ticket.encoded(by: "ngtcp2 0.0.1, GnuTLS 3.7.9, little-endian")) == nil)
        #expect(QUICResumption(encoded: ticket.encoded(by: "")) == nil)
        var otherFormat = Array(ticket.encoded.dropLast(32))
        otherFormat[0] += 1
        #expect(QUICResumption(encoded: QUICResumption.sealed(otherFormat)) == nil)
    }

    @Test func aTicketDoesNotOutliveWhatTheServerSaid() throws {
        let tls = try TestCertificates.shared.server(ticketKey: QUICTicketKey())
        let ticket = try Simulation.resumption(serverTLS: tls)
        // A server with GnuTLS issues tickets for a day.
        #expect(ticket.expiresAt == ticket.receivedAt + 86_400)
        #expect(!ticket.isExpired(at: ticket.receivedAt))
        #expect(!ticket.isExpired(at: ticket.receivedAt + 86_399))
        #expect(ticket.isExpired(at: ticket.receivedAt + 86_400))
        #expect(ticket.isExpired(at: ticket.receivedAt - 1))
    }

    private static let limits: [(Int64, UInt32, Int64)] = [
        (0, 0, 0), (0, 7_200, 7_200), (0, .max, 604_800), (.max, 7_200, .max), (-5, 10, 5),
    ]

    @Test(arguments: limits)
    func lifetimesHaveALimit(receivedAt: Int64, lifetime: UInt32, expiresAt: Int64) {
        let ticket = QUICResumption(
            session: [], earlyParameters: [], serverName: "", trust: [UInt8](repeating: 0, count: 32), alpn: "",
            allowsEarlyData: false, receivedAt: receivedAt, lifetime: lifetime)
        #expect(ticket.expiresAt == expiresAt)
        #expect(QUICResumption(encoded: ticket.encoded) == ticket)
    }
}
