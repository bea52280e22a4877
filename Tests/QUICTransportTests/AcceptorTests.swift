import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

@Suite struct AcceptorTests {
    private static let client = Simulation.address("10.0.0.1", 40_000)
    private static let server = Simulation.address("10.0.0.2", 14_567)
    private let now = NIODeadline.uptimeNanoseconds(5_000_000_000)

    private func firstDatagram() throws -> QUICDatagram {
        let client = try QUICConnection.client(
            configuration: .test(), tls: TestCertificates.shared.client(), serverName: "broker.test",
            local: Self.client,
            remote: Self.server, now: now)
        return try #require(client.nextDatagram(at: now))
    }

    private func acceptor(
        retry: QUICServerAcceptor.Retry = .never, secret: [UInt8]? = nil, repliesPerSecond: Int = 1000
    ) throws -> QUICServerAcceptor {
        try QUICServerAcceptor(
            configuration: .test(), tls: TestCertificates.shared.server(), retry: retry, secret: secret,
            repliesPerSecond: repliesPerSecond)
    }

    private func reply(
        of acceptor: inout QUICServerAcceptor, to bytes: ByteBuffer, from: SocketAddress = Self.client
    ) -> ByteBuffer? {
        guard case .reply(let datagram) = acceptor.decide(bytes, from: from, to: Self.server, at: now) else {
            return nil
        }
        #expect(datagram.remote == from && datagram.local == Self.server)
        return datagram.bytes
    }

    @Test func aVersionOfTheFutureIsAnsweredWithOurs() throws {
        var acceptor = try acceptor()
        var bytes = ByteBuffer(bytes: [0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 4, 1, 2, 3, 4, 3, 9, 8, 7])
        bytes.writeRepeatingByte(0, count: 1200 - bytes.readableBytes)
        let answer = try #require(reply(of: &acceptor, to: bytes))
        let expected: [UInt8] = [0, 0, 0, 0, 3, 9, 8, 7, 4, 1, 2, 3, 4]
        #expect(Array(answer.readableBytesView.dropFirst().prefix(13)) == expected)
        #expect(Array(answer.readableBytesView.suffix(4)) == [0, 0, 0, 1])
        #expect(reply(of: &acceptor, to: ByteBuffer(bytes: bytes.readableBytesView.prefix(1199))) == nil)
    }

    @Test func aServerWithoutOurVersionIsNamed() throws {
        let client = try QUICConnection.client(
            configuration: .test(), tls: TestCertificates.shared.client(), serverName: "broker.test",
            local: Self.client,
            remote: Self.server, now: now)
        let first = try #require(client.nextDatagram(at: now)).bytes
        func negotiation(_ versions: [UInt8]) throws -> ByteBuffer {
            let view = Array(first.readableBytesView)
            let dcidLength = Int(view[5])
            let dcid = view[5...(5 + dcidLength)]
            let scid = view[(6 + dcidLength)...(6 + dcidLength + Int(view[6 + dcidLength]))]
            return ByteBuffer(bytes: [0x80, 0, 0, 0, 0] + scid + dcid + versions)
        }
        // A list that has our version is not an answer to our packet (RFC 9000 6.2).
        client.receive(try negotiation([0, 0, 0, 1]), from: Self.server, to: Self.client, at: now)
        #expect(client.nextEvent() == nil)
        client.receive(
            try negotiation([0xff, 0, 0, 0x1d, 0x6b, 0x33, 0x43, 0xcf]), from: Self.server, to: Self.client, at: now)
        let error = QUICError.versionNegotiationFailed(offered: [0xff00_001d, 0x6b33_43cf])
        #expect(client.nextEvent() == .closed(error))
        #expect(error.description == "the peer does not speak QUIC version 1, only 0xff00001d, 0x6b3343cf")
        #expect(client.isClosed)
    }

    @Test func aRetryIsOneRoundTripMore() throws {
        let simulation = try Simulation(retry: .always)
        let start = simulation.now
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeCompleted })
        #expect(simulation.now - start == .milliseconds(40))
        #expect(simulation.answers.count == 1)
    }

    @Test func aTokenIsGoodForOneAddressAndSomeTimeOnly() throws {
        var acceptor = try acceptor(retry: .always)
        let client = try QUICConnection.client(
            configuration: .test(), tls: TestCertificates.shared.client(), serverName: "broker.test",
            local: Self.client,
            remote: Self.server, now: now)
        let first = try #require(client.nextDatagram(at: now)).bytes
        let retry = try #require(reply(of: &acceptor, to: first))
        #expect(retry.readableBytes < 200)
        client.receive(retry, from: Self.server, to: Self.client, at: now)
        let second = try #require(client.nextDatagram(at: now)).bytes
        guard case .accept(let incoming) = acceptor.decide(second, from: Self.client, to: Self.server, at: now) else {
            Issue.record("the token was not taken")
            return
        }
        #expect(incoming.isAddressValidated)
        let other = Simulation.address("10.0.0.66", 40_000)
        let refusal = try #require(reply(of: &acceptor, to: second, from: other))
        #expect(refusal.readableBytes < 1200)
        let late = acceptor.decide(second, from: Self.client, to: Self.server, at: now + .seconds(11))
        guard case .reply(let datagram) = late else {
            Issue.record("an old token is refused")
            return
        }
        client.receive(datagram.bytes, from: Self.server, to: Self.client, at: now)
        #expect(client.nextEvent() == .closed(.transportError(code: 0xb, reason: "", isRemote: true)))
    }

    @Test func aResetIsShorterThanWhatItAnswers() throws {
        var acceptor = try acceptor(secret: [UInt8](repeating: 7, count: 32))
        var same = try self.acceptor(secret: [UInt8](repeating: 7, count: 32))
        for (length, expected) in [(20, nil), (21, nil), (22, 21), (42, 41), (43, 42), (44, 43), (1200, 43)] {
            let packet = ByteBuffer(bytes: [0x40] + [UInt8](repeating: 3, count: length - 1))
            let answer = reply(of: &acceptor, to: packet)
            #expect(answer?.readableBytes == expected)
            if let answer {
                #expect(answer.readableBytesView.first.map { $0 & 0xc0 } == 0x40)
                let again = try #require(reply(of: &same, to: packet))
                #expect(answer.readableBytesView.suffix(16).elementsEqual(again.readableBytesView.suffix(16)))
            }
        }
    }

    @Test func answersAreLimited() throws {
        var acceptor = try acceptor(repliesPerSecond: 100)
        let packet = ByteBuffer(repeating: 0x41, count: 100)
        func answered(_ count: Int, at time: NIODeadline) -> Int {
            (0..<count).filter { _ in
                if case .reply = acceptor.decide(packet, from: Self.client, to: Self.server, at: time) {
                    true
                } else {
                    false
                }
            }.count
        }
        #expect(answered(50, at: now) == 10)
        #expect(answered(50, at: now + .milliseconds(55)) == 5)
        #expect(answered(50, at: now + .milliseconds(60)) == 1)
        #expect(answered(50, at: now + .seconds(100)) == 10)
    }

    @Test func aFloodOfShortPacketsDoesNotCostClientsTheirAnswers() throws {
        var acceptor = try acceptor(retry: .always, repliesPerSecond: 10)
        let packet = ByteBuffer(repeating: 0x41, count: 22)
        let answers = (0..<100).compactMap { _ in reply(of: &acceptor, to: packet) }
        #expect(answers.count == 1)
        #expect(reply(of: &acceptor, to: try firstDatagram().bytes) != nil)
    }

    @Test func whatIsNoFirstPacketIsIgnored() throws {
        var acceptor = try acceptor()
        let first = try firstDatagram().bytes
        let view = Array(first.readableBytesView)
        var cases = [[], [0xc0], [0xc0, 0, 0, 0, 1], Array(view.prefix(1199)), Array(view.prefix(60))]
        var handshake = view
        handshake[0] = 0xe0
        cases.append(handshake)
        var longID = view
        longID[5] = 21
        cases.append(longID)
        for bytes in cases {
            guard case .ignore = acceptor.decide(ByteBuffer(bytes: bytes), from: Self.client, to: Self.server, at: now)
            else {
                Issue.record("\(bytes.prefix(8)) is answered")
                continue
            }
        }
        guard case .accept(let incoming) = acceptor.decide(first, from: Self.client, to: Self.server, at: now) else {
            Issue.record("a first packet is accepted")
            return
        }
        #expect(!incoming.isAddressValidated)
    }

    @Test func aRefusalSaysThatThereIsNoRoom() throws {
        var acceptor = try acceptor(repliesPerSecond: 30)
        let client = try QUICConnection.client(
            configuration: .test(), tls: TestCertificates.shared.client(), serverName: "broker.test",
            local: Self.client, remote: Self.server, now: now)
        let first = try #require(client.nextDatagram(at: now)).bytes
        guard case .accept(let incoming) = acceptor.decide(first, from: Self.client, to: Self.server, at: now) else {
            Issue.record("a first packet is accepted")
            return
        }
        let answer = acceptor.refusal(of: incoming)
        let refusal = try #require(answer)
        #expect(refusal.remote == Self.client && refusal.local == Self.server)
        #expect(refusal.bytes.readableBytes < 100)
        client.receive(refusal.bytes, from: Self.server, to: Self.client, at: now)
        #expect(client.nextEvent() == .closed(.connectionRefused(reason: "")))
        // The limit for other answers applies: three at once.
        let answers = (0..<5).map { _ in acceptor.refusal(of: incoming) }
        #expect(answers.compactMap { $0 }.count == 2)
    }

    @Test func aReloadedCertificateServesTheNextConnections() throws {
        let simulation = try Simulation.connected()
        simulation.acceptor.tls = try TestCertificates.shared.server("rsa")
        let id = try #require(try simulation.client.openStream())
        simulation.client.write(id, ByteBuffer(string: "undisturbed"), fin: true)
        simulation.run(for: .seconds(1))
        #expect(simulation.serverEvents.contains(.streamData(id, ByteBuffer(string: "undisturbed"), fin: true)))
        let next = try Simulation(clientTLS: TestCertificates.shared.client(ca: "rsa-root.pem"))
        next.acceptor = simulation.acceptor
        #expect(next.run(for: .seconds(5)) { next.client.isHandshakeConfirmed })
        #expect(next.client.tlsInfo?.peerCertificates.first?.issuer == "CN=RSA root,O=Test")
    }

    /// One of 16 bytes with a server ID, which is QUIC-LB's plain text form, has the number of the bytes behind the first.
    @Test(
        arguments: [
            (ConnectionIDLayout(loop: 7), [7], 8), (.init(serverID: [1, 2]), [10, 1, 2], 11),
            (.init(serverID: [UInt8](1...8), loop: 7), [16, 1, 2, 3, 4, 5, 6, 7, 8, 7], 17),
        ] as [(ConnectionIDLayout, [UInt8], Int)])
    func connectionIDsAreLaidOutAsAsked(layout: ConnectionIDLayout, prefix: [UInt8], length: Int) throws {
        let simulation = try Simulation(server: .test { $0.connectionIDs = layout }, retry: .always)
        var (destinations, sources): (Set<[UInt8]>, Set<[UInt8]>) = ([], [])
        simulation.onSend = { datagram, isToServer in
            let bytes = Array(datagram.bytes.readableBytesView)
            let id = QUICPacketHeader.destinationConnectionID(of: datagram.bytes, localLength: length)
            if isToServer, let id {
                destinations.insert(Array(id.bytes.prefix(prefix.count)))
            } else if bytes[0] & 0x80 != 0 {
                // In a long header, the source connection ID follows the destination connection ID.
                sources.insert(Array(bytes.dropFirst(7 + Int(bytes[5])).prefix(prefix.count)))
            }
        }
        let firstID = try #require(simulation.client.nextDatagram(at: simulation.now)).bytes
        let firstDestination = try #require(QUICPacketHeader.destinationConnectionID(of: firstID)?.bytes)
        let chosen = Array(firstDestination.prefix(prefix.count))
        simulation.inject(
            QUICDatagram(
                bytes: firstID, local: Self.client, remote: Self.server, ecn: .transportNotCapable),
            toServer: true, after: .zero)
        #expect(simulation.run(for: .seconds(5)) { simulation.server?.isHandshakeConfirmed == true })
        simulation.run(for: .seconds(1))
        #expect(simulation.answers.count == 1)
        #expect(sources == [prefix])
        #expect(destinations.contains(prefix) && destinations.isSubset(of: [prefix, chosen]))
        let server = try #require(simulation.server)
        #expect(server.connectionIDs.count > 2)
        #expect(
            server.connectionIDs.filter { $0.bytes != firstDestination }.allSatisfy {
                $0.bytes.starts(with: prefix) && $0.count == length
            })
        #expect(Set(server.connectionIDs).count == server.connectionIDs.count)
    }
}
