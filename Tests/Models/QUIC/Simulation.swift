import NIOCore
import QUICTransport
import TestSupport

/// One direction of the simulated network.
package struct Link {
    package var delay: TimeAmount
    /// Added at random to the delay, so that datagrams overtake each other.
    package var jitter: TimeAmount
    package var loss: Double
    package var duplication: Double
    /// Larger datagrams vanish, as on a path with a smaller MTU.
    package var maximumSize: Int
    package var isCut = false

    package init(
        delay: TimeAmount = .milliseconds(10), jitter: TimeAmount = .zero, loss: Double = 0, duplication: Double = 0,
        maximumSize: Int = 65_535
    ) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.duplication = duplication
        self.maximumSize = maximumSize
    }
}

/// A client and a server with a simulated network, and a clock that jumps from one event to the next.
package final class Simulation {
    private struct Flight {
        let arrival: NIODeadline
        let order: Int
        let datagram: QUICDatagram
        let isToServer: Bool
    }

    package static let clientAddress = address("10.0.0.1", 40_000)
    package static let serverAddress = address("10.0.0.2", 14_567)

    package private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    package var toServer = Link()
    package var toClient = Link()
    /// Datagrams that the client sends from this address vanish.
    package var dropsFrom: SocketAddress?
    /// The client is behind a NAT that gives it this address.
    package var clientAppearsAs: SocketAddress?
    /// The address of the server that the client's datagrams come to. To the client it is always the same one.
    package var clientReaches = Simulation.serverAddress {
        didSet { serverAddresses.insert(clientReaches) }
    }
    private var serverAddresses: Set<SocketAddress> = []
    package var random: SplitMix64
    package let client: QUICConnection
    package private(set) var server: QUICConnection?
    package var acceptor: QUICServerAcceptor
    private let serverIDLength: Int
    package private(set) var clientEvents: [QUICEvent] = []
    package private(set) var serverEvents: [QUICEvent] = []
    /// Called for each event as it comes. It may call the connections.
    package var onClientEvent: ((QUICEvent) -> Void)?
    package var onServerEvent: ((QUICEvent) -> Void)?
    /// Sees each datagram before the network does.
    package var onSend: ((QUICDatagram, _ isToServer: Bool) -> Void)?
    package private(set) var sent: (toServer: Int, toClient: Int) = (0, 0)
    /// How often the client was called because its deadline had passed.
    package private(set) var clientDeadlines = 0
    package private(set) var answers: [QUICDatagram] = []
    private var flights: [Flight] = []
    private var order = 0
    private var steps = 0

    package init(
        client clientConfiguration: QUICConfiguration = .test(),
        server serverConfiguration: QUICConfiguration = .test(), clientTLS: QUICTLSContext? = nil,
        serverTLS: QUICTLSContext? = nil, serverName: String = "broker.test", retry: QUICServerAcceptor.Retry = .never,
        resumption: QUICResumption? = nil, earlyData: Bool = false, seed: UInt64 = 1
    ) throws {
        random = SplitMix64(seed: seed)
        serverIDLength = serverConfiguration.connectionIDs.length
        client = try .client(
            configuration: clientConfiguration, tls: clientTLS ?? TestCertificates.shared.client(),
            serverName: serverName, local: Self.clientAddress, remote: Self.serverAddress, now: now,
            resumption: resumption, earlyData: earlyData)
        acceptor = try QUICServerAcceptor(
            configuration: serverConfiguration, tls: serverTLS ?? TestCertificates.shared.server(), retry: retry)
    }

    /// Debian 12 has ngtcp2 0.12.1, which does some things differently from versions 1.0 and later.
    package static let isVersion0 = LinkedLibraries.ngtcp2.hasPrefix("0.")

    package static func address(_ ip: String, _ port: Int) -> SocketAddress {
        do {
            return try SocketAddress(ipAddress: ip, port: port)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Why the client's connection ended.
    package var clientError: QUICError? { Self.end(of: clientEvents) }
    package var serverError: QUICError? { Self.end(of: serverEvents) }

    private static func end(of events: [QUICEvent]) -> QUICError? {
        guard case .closed(let error)? = events.last else { return nil }
        return error
    }

    /// Runs until the condition holds. False if it does not hold within that much simulated time.
    @discardableResult
    package func run(for limit: TimeAmount = .seconds(60), until isDone: () -> Bool = { false }) -> Bool {
        let end = now + limit
        flush()
        while !isDone() {
            guard let next = nextTime(), next <= end else {
                now = max(now, end)
                return isDone()
            }
            advance(to: next)
        }
        return true
    }

    /// Removes the server, as a restart does: only what the acceptor keeps is left.
    package func forgetServer() {
        server = nil
    }

    /// Makes a datagram arrive that neither side sent.
    package func inject(_ datagram: QUICDatagram, toServer isToServer: Bool, after delay: TimeAmount) {
        launch(datagram, arrival: now + delay, isToServer: isToServer)
    }

    private func nextTime() -> NIODeadline? {
        [flights.first?.arrival, client.deadline, server?.deadline].compactMap { $0 }.min()
    }

    private func advance(to time: NIODeadline) {
        steps += 1
        precondition(steps < 2_000_000, "the simulation runs in circles")
        now = max(now, time)
        while let first = flights.first, first.arrival <= now {
            flights.removeFirst()
            arrive(first.datagram, isToServer: first.isToServer)
            flush { _ in false }
        }
        for connection in [client, server].compactMap({ $0 }) {
            if let deadline = connection.deadline, deadline <= now {
                if connection === client { clientDeadlines += 1 }
                connection.handleDeadline(at: now)
                flush { $0 === connection }
            }
        }
        flush { _ in false }
    }

    private func arrive(_ datagram: QUICDatagram, isToServer: Bool) {
        // To the receiver, the addresses of a datagram are the other way round.
        var (local, remote) = (datagram.remote, datagram.local)
        guard isToServer else {
            if local == clientAppearsAs { local = Self.clientAddress }
            if serverAddresses.contains(remote) { remote = Self.serverAddress }
            client.receive(datagram.bytes, from: remote, to: local, ecn: datagram.ecn, at: now)
            return
        }
        remote = clientAppearsAs ?? remote
        if local == Self.serverAddress { local = clientReaches }
        let id = QUICPacketHeader.destinationConnectionID(of: datagram.bytes, localLength: serverIDLength)
        if let server, let id, server.connectionIDs.contains(id) {
            server.receive(datagram.bytes, from: remote, to: local, ecn: datagram.ecn, at: now)
            return
        }
        switch acceptor.decide(datagram.bytes, from: remote, to: local, ecn: datagram.ecn, at: now) {
        case .accept(let incoming):
            if server == nil {
                server = try? .server(accepting: incoming, now: now)
            }
        case .reply(let answer):
            answers.append(answer)
            send(answer, isToServer: false)
        case .ignore:
            break
        }
    }

    /// Takes events and datagrams out of both sides until there are none left.
    ///
    /// - Parameter isAsked: Whether a connection is asked for datagrams although it has nothing urgent to send.
    package func flush(isAsked: (QUICConnection) -> Bool = { _ in true }) {
        var isBusy = true
        while isBusy {
            isBusy = false
            while let event = client.nextEvent() {
                clientEvents.append(event)
                onClientEvent?(event)
                isBusy = true
            }
            while let event = server?.nextEvent() {
                serverEvents.append(event)
                onServerEvent?(event)
                isBusy = true
            }
            for connection in [client, server].compactMap({ $0 }) where isAsked(connection) || connection.hasToSend {
                while let datagram = connection.nextDatagram(at: now) {
                    send(datagram, isToServer: connection === client)
                    isBusy = true
                }
            }
        }
    }

    private func send(_ datagram: QUICDatagram, isToServer: Bool) {
        if isToServer { sent.toServer += 1 } else { sent.toClient += 1 }
        onSend?(datagram, isToServer)
        let link = isToServer ? toServer : toClient
        guard !link.isCut, datagram.local != dropsFrom, datagram.bytes.readableBytes <= link.maximumSize,
            !random.chance(link.loss)
        else { return }
        repeat {
            let jitter = link.jitter > .zero ? Int64.random(in: 0...link.jitter.nanoseconds, using: &random) : 0
            launch(datagram, arrival: now + link.delay + .nanoseconds(jitter), isToServer: isToServer)
        } while random.chance(link.duplication)
    }

    private func launch(_ datagram: QUICDatagram, arrival: NIODeadline, isToServer: Bool) {
        order += 1
        let flight = Flight(arrival: arrival, order: order, datagram: datagram, isToServer: isToServer)
        let index = flights.lastIndex { $0.arrival <= arrival }.map { $0 + 1 } ?? 0
        flights.insert(flight, at: index)
    }
}

extension QUICConfiguration {
    package static func test(_ change: (inout QUICConfiguration) -> Void = { _ in }) -> QUICConfiguration {
        var configuration = QUICConfiguration(alpn: ["mqtt"])
        configuration.maxBidiStreams = 10
        configuration.idleTimeout = .seconds(30)
        configuration.keepAlive = nil
        configuration.keepsPeerCertificates = true
        change(&configuration)
        return configuration
    }
}
