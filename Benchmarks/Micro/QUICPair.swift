import NIOCore
import QUICTransport

/// A client and a server in one process, on a clock that jumps from one event to the next. Nothing is lost, and a
/// datagram takes a millisecond. Both sides are driven in the order in which an endpoint drives a connection.
final class QUICPair {
    private struct Side {
        var connection: QUICConnection
        /// What the other side has sent, with the time of its arrival.
        var arriving: [(QUICDatagram, NIODeadline)] = []
        /// The deadline that its timer would be armed with.
        var deadline: NIODeadline?
    }

    private static let delay = TimeAmount.milliseconds(1)

    /// What the server answers to each read of a stream; `nil` if it does not.
    var answer: ByteBuffer?
    private(set) var bytesAtServer = 0
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var client: Side
    private var server: Side
    private var datagrams = 0
    private var bytes = 0
    private var deadlinesArmed = 0
    private var deadlinesFired = 0

    /// Makes a pair whose handshake is over.
    init(_ credentials: Credentials, streams: Int) throws {
        let addresses = (
            client: try SocketAddress(ipAddress: "10.0.0.1", port: 40_000),
            server: try SocketAddress(ipAddress: "10.0.0.2", port: 14_567)
        )
        var configuration = QUICConfiguration(alpn: ["mqtt"])
        configuration.maxBidiStreams = streams
        let connection = try QUICConnection.client(
            configuration: configuration, tls: .client(caFile: credentials.certificate), serverName: "localhost",
            local: addresses.client, remote: addresses.server, now: now)
        var acceptor = QUICServerAcceptor(
            configuration: configuration,
            tls: try .server(certificateFile: credentials.certificate, keyFile: credentials.key))
        guard let first = connection.nextDatagram(at: now),
            case .accept(let incoming) = acceptor.decide(first.bytes, from: first.local, to: first.remote, at: now)
        else { throw BenchmarkError(message: "the server does not accept the client") }
        client = Side(connection: connection)
        server = Side(connection: try .server(accepting: incoming, now: now))
        run(for: .seconds(10))
        guard connection.isHandshakeConfirmed else {
            throw BenchmarkError(message: "the handshake between client and server failed")
        }
    }

    /// Datagrams and bytes of both sides, and how often a side's deadline moved, and passed.
    var figures: [String: Int] {
        [
            "datagrams": datagrams, "bytes": bytes, "deadlines-armed": deadlinesArmed,
            "deadlines-fired": deadlinesFired,
        ]
    }

    /// Opens streams for the client.
    func openStreams(_ count: Int) throws -> [QUICStreamID] {
        try (0..<count).map { _ in
            guard let stream = try client.connection.openStream() else {
                throw BenchmarkError(message: "the server allows no further stream")
            }
            return stream
        }
    }

    /// Queues a message of the client.
    func send(_ message: ByteBuffer, on stream: QUICStreamID) {
        client.connection.write(stream, message, fin: false)
    }

    /// Lets that much time pass for both sides.
    func run(for time: TimeAmount) {
        let end = now + time
        flush()
        while let next = nextTime(), next <= end {
            now = max(now, next)
            receive(&client)
            receive(&server)
            passDeadline(&client)
            passDeadline(&server)
            flush()
        }
        now = end
    }

    private func nextTime() -> NIODeadline? {
        earlier(earlier(client.arriving.first?.1, server.arriving.first?.1), earlier(client.deadline, server.deadline))
    }

    private func earlier(_ first: NIODeadline?, _ second: NIODeadline?) -> NIODeadline? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }

    private func receive(_ side: inout Side) {
        var count = 0
        while count < side.arriving.count, side.arriving[count].1 <= now {
            let datagram = side.arriving[count].0
            side.connection.receive(datagram.bytes, from: datagram.local, to: datagram.remote, at: now)
            count += 1
        }
        side.arriving.removeFirst(count)
    }

    private func passDeadline(_ side: inout Side) {
        guard let deadline = side.deadline, deadline <= now else { return }
        deadlinesFired += 1
        side.connection.handleDeadline(at: now)
    }

    private func flush() {
        deliverEvents()
        sendDatagrams(of: &client, to: &server)
        sendDatagrams(of: &server, to: &client)
        arm(&client)
        arm(&server)
    }

    private func deliverEvents() {
        while let event = client.connection.nextEvent() {
            if case .streamData(let id, let data, _) = event {
                client.connection.consumed(id, bytes: data.readableBytes)
            }
        }
        while let event = server.connection.nextEvent() {
            guard case .streamData(let id, let data, _) = event else { continue }
            bytesAtServer += data.readableBytes
            server.connection.consumed(id, bytes: data.readableBytes)
            if let answer { server.connection.write(id, answer, fin: false) }
        }
    }

    private func sendDatagrams(of side: inout Side, to other: inout Side) {
        while let datagram = side.connection.nextDatagram(at: now) {
            datagrams += 1
            bytes += datagram.bytes.readableBytes
            other.arriving.append((datagram, now + Self.delay))
        }
    }

    private func arm(_ side: inout Side) {
        let deadline = side.connection.deadline
        guard deadline != side.deadline else { return }
        side.deadline = deadline
        deadlinesArmed += 1
    }
}
