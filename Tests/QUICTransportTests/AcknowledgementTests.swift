import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

/// When an acknowledgement leaves by itself, and when it waits for data to travel with.
struct AcknowledgementTests {
    /// A pair that has been quiet for a while, with a stream on which the server answers.
    private func quietPair(
        client: QUICConfiguration = .test()
    ) throws -> (Simulation, Exchange, QUICStreamID) {
        let simulation = try Simulation.connected(client: client)
        let exchange = Exchange(simulation)
        exchange.echoes = true
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "first"), fin: false)
        simulation.run(for: .seconds(5))
        return (simulation, exchange, id)
    }

    /// A device's message and the broker's answer need one datagram each, while the next message is about to come.
    @Test func aConversationNeedsNoOtherDatagrams() throws {
        let (simulation, exchange, id) = try quietPair()
        let before = simulation.sent
        for round in 1...100 {
            simulation.client.write(id, ByteBuffer(string: "hello"), fin: false)
            simulation.run(for: .milliseconds(10))
            #expect(exchange.atServer[id]?.bytes.readableBytes == 5 + 5 * round || round < 20)
        }
        simulation.run(for: .seconds(1))
        #expect(exchange.atClient[id]?.bytes.readableBytes == 505)
        // One more each for the last acknowledgements.
        #expect(simulation.sent.toServer - before.toServer <= 102)
        #expect(simulation.sent.toClient - before.toClient <= 102)
    }

    /// With nothing to travel with, the acknowledgement leaves before the peer's allowance for it has passed.
    @Test func aSingleMessageIsAcknowledgedInTime() throws {
        let (simulation, exchange, id) = try quietPair()
        exchange.echoes = false
        let before = simulation.sent
        simulation.client.write(id, ByteBuffer(string: "hello"), fin: false)
        simulation.flush()
        let sentAt = simulation.now
        var acknowledgedAt: NIODeadline?
        simulation.onSend = { [unowned simulation] _, isToServer in
            if !isToServer { acknowledgedAt = simulation.now }
        }
        #expect(simulation.run(for: .seconds(1)) { acknowledgedAt != nil })
        let waited = try #require(acknowledgedAt) - sentAt - simulation.toServer.delay
        let allowance = TimeAmount(QUICConfiguration.test().maxAckDelay)
        #expect(waited * 2 > allowance && waited <= allowance)
        simulation.run(for: .seconds(1))
        #expect(simulation.sent.toServer - before.toServer == 1 && simulation.sent.toClient - before.toClient == 1)
    }

    /// A copy needs no acknowledgement of its own, and does not make that of the original leave sooner.
    @Test func aCopyIsNotAnswered() throws {
        let (simulation, exchange, id) = try quietPair(client: .test { $0.sendTwice = .small })
        exchange.echoes = false
        let before = simulation.sent
        simulation.client.write(id, ByteBuffer(string: "hello"), fin: false)
        simulation.flush()
        let sentAt = simulation.now
        var answeredAt: NIODeadline?
        simulation.onSend = { [unowned simulation] _, isToServer in
            if !isToServer { answeredAt = answeredAt ?? simulation.now }
        }
        simulation.run(for: .seconds(1))
        #expect(simulation.sent.toServer - before.toServer == 2 && simulation.sent.toClient - before.toClient == 1)
        #expect(try #require(answeredAt) - sentAt > simulation.toServer.delay + .milliseconds(2))
    }

    /// RFC 9000 13.2.1: a packet out of order is acknowledged immediately, so that the loss before it is found.
    @Test func aGapIsReportedAtOnce() throws {
        let (simulation, exchange, id) = try quietPair()
        exchange.echoes = false
        simulation.toServer.loss = 1
        simulation.client.write(id, ByteBuffer(string: "lost"), fin: false)
        simulation.flush()
        simulation.toServer.loss = 0
        simulation.client.write(id, ByteBuffer(string: "next"), fin: false)
        simulation.flush()
        let sentAt = simulation.now
        var answeredAt: NIODeadline?
        simulation.onSend = { [unowned simulation] _, isToServer in
            if !isToServer { answeredAt = answeredAt ?? simulation.now }
        }
        #expect(simulation.run(for: .seconds(1)) { exchange.atServer[id]?.bytes.readableBytes == 13 })
        #expect(try #require(answeredAt) - sentAt == simulation.toServer.delay)
        // The lost packet comes an eighth of a round trip after the gap is known, long before a probe timeout.
        #expect(simulation.now - sentAt < simulation.toServer.delay * 4)
    }

    /// ngtcp2 knows of a loss only when enough later packets are acknowledged. Then the data goes out again at once, and
    /// not with the next deadline.
    @Test(arguments: [2, 5, 8], [16_000, 40_000])
    func whatIsLostInALongMessageIsSentAgainAtOnce(number: Int, size: Int) throws {
        let (simulation, exchange, id) = try quietPair()
        exchange.echoes = false
        // This opens the congestion window.
        simulation.client.write(id, pattern(400_000, seed: 1), fin: false)
        simulation.run(for: .seconds(5))
        let before = simulation.sent.toServer
        simulation.onSend = { [unowned simulation] _, isToServer in
            if isToServer { simulation.toServer.isCut = simulation.sent.toServer - before == number }
        }
        simulation.client.write(id, pattern(size, seed: 2), fin: true)
        let sentAt = simulation.now
        #expect(simulation.run(for: .seconds(5)) { exchange.atServer[id]?.isFinished == true })
        #expect(simulation.now - sentAt < .milliseconds(40), "\((simulation.now - sentAt).nanoseconds / 1_000_000) ms")
    }

    /// Sends 200 KB and the end of the stream, and counts the datagrams of both sides.
    private func datagramsOfABulkTransfer(
        _ simulation: Simulation, _ exchange: Exchange, _ id: QUICStreamID
    ) -> (data: Int, answers: Int) {
        let before = simulation.sent
        simulation.client.write(id, pattern(200_000, seed: 2), fin: true)
        #expect(simulation.run(for: .seconds(30)) { exchange.atServer[id]?.isFinished == true })
        return (simulation.sent.toServer - before.toServer, simulation.sent.toClient - before.toClient)
    }

    /// RFC 9000 13.2.2: two full datagrams are acknowledged after an eighth of the round trip, and ten at once.
    @Test func aBulkTransferIsAcknowledgedSeldom() throws {
        let (simulation, exchange, id) = try quietPair()
        exchange.echoes = false
        let (data, answers) = datagramsOfABulkTransfer(simulation, exchange, id)
        #expect(answers >= data / 12 && answers <= data / 4, "\(answers) of \(data)")
    }

    /// On a short path an eighth of the round trip is at once, and then every second datagram is acknowledged.
    @Test func aBulkTransferOnAShortPathIsAcknowledgedAsUsual() throws {
        let (simulation, exchange, id) = try quietPair()
        simulation.toServer.delay = .microseconds(100)
        simulation.toClient.delay = .microseconds(100)
        // Both sides have to measure the new round trip, and only a side that sends data does.
        for _ in 0..<50 {
            simulation.client.write(id, pattern(1_000, seed: 1), fin: false)
            simulation.run(for: .milliseconds(100))
        }
        exchange.echoes = false
        let (data, answers) = datagramsOfABulkTransfer(simulation, exchange, id)
        #expect(answers >= data * 2 / 5 && answers <= data, "\(answers) of \(data)")
    }
}
