import NIOCore
import QUICSimulation
import QUICTransport
import TestSupport

/// The server answers a datagram that belongs to no connection with little, if at all, and to the sender only; and a
/// connection that it makes sends no more than three times what it got before the address is known to be right.
///
/// Each step takes a byte that chooses what comes: bytes of the input, a real client's next datagram, damaged or as it
/// is, a repetition from another address, or nothing for a while.
package enum QUICAcceptorTarget: FuzzTarget {
    package static let name = "quic-acceptor"
    package static let summary = "datagrams from strangers get short answers and break no connection"
    package static let maximumLength = 3072
    package static let seeds: [[UInt8]] = [
        [0, 3, 3, 3, 3], [1, 3, 3, 3, 3, 6, 200, 3], [2, 4, 1, 0, 0xFF, 3, 5, 3, 5],
        [0, 7, 3, 3, 7, 3, 3, 6, 255, 6, 255],
        [0, 0, 0, 40, 0x40] + [UInt8](repeating: 7, count: 39),
        [0, 1, 4, 0xB0, 0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 4, 1, 2, 3, 4, 3, 9, 8, 7],
        [1, 1, 4, 0xB0, 0xC3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x80],
    ]
    package static let words: [[UInt8]] = [
        [0, 0, 0, 1], [0xC3, 0, 0, 0, 1, 8], [0xFF, 0, 0, 29], [0x6B, 0x33, 0x43, 0xCF], [0x40], [0xE3], [0xF3],
    ]

    package static func run(_ input: [UInt8]) throws {
        var choices = Choices(bytes: input)
        let scene = try Scene(&choices)
        for _ in 0..<48 where !choices.isExhausted { try scene.step(&choices) }
        try scene.finish()
    }

    private final class Scene {
        private struct Guest {
            let connection: QUICConnection
            let remote: SocketAddress
            var received: Int
            var sent = 0
            let isAddressValidated: Bool
        }

        private var acceptor: QUICServerAcceptor
        private var client: QUICConnection?
        private var guests: [Guest] = []
        private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        private var last = ByteBuffer()
        private var port = 40_000

        init(_ choices: inout Choices) throws {
            acceptor = try QUICServerAcceptor(
                configuration: .test(), tls: QUICScene.tls.get().server,
                retry: choices.byte() & 1 == 0 ? .never : .always, secret: [UInt8](repeating: 7, count: 32))
            try makeClient(0)
        }

        private func makeClient(_ choice: UInt8) throws {
            port += 1
            let configuration = QUICConfiguration.test {
                $0.alpn = choice & 1 == 0 ? ["mqtt"] : ["other", "mqtt"]
                $0.maximumDatagramSize = choice & 2 == 0 ? 1200 : 1452
                $0.maxBidiStreams = Int(choice)
            }
            client = try .client(
                configuration: configuration, tls: QUICScene.tls.get().client, serverName: "broker.test",
                local: Simulation.address("10.0.0.1", port), remote: Simulation.serverAddress, now: now)
        }

        func step(_ choices: inout Choices) throws {
            switch choices.byte() & 7 {
            case 0: try arrive(ByteBuffer(bytes: choices.take(length(&choices))))
            case 1:
                let length = length(&choices)
                let bytes = choices.take(length)
                try arrive(ByteBuffer(bytes: bytes + [UInt8](repeating: 0, count: max(1200 - bytes.count, 0))))
            case 2, 3: try arrive(clientDatagram())
            case 4: try arrive(damaged(clientDatagram(), &choices))
            case 5:
                port += 1
                try arrive(last)
            case 6: try wait(.milliseconds(Int64(choices.byte()) * 20))
            default: try makeClient(choices.byte())
            }
        }

        private func length(_ choices: inout Choices) -> Int {
            min(Int(choices.byte()) << 8 | Int(choices.byte()), 1500)
        }

        private func clientDatagram() -> ByteBuffer { client?.nextDatagram(at: now)?.bytes ?? ByteBuffer() }

        private func damaged(_ datagram: ByteBuffer, _ choices: inout Choices) -> ByteBuffer {
            var bytes = Array(datagram.readableBytesView)
            for _ in 0..<(1 + choices.byte() % 4) where !bytes.isEmpty {
                let place = (Int(choices.byte()) << 8 | Int(choices.byte())) % min(bytes.count, 96)
                bytes[place] = choices.byte()
            }
            return ByteBuffer(bytes: bytes)
        }

        // MARK: The server

        private func arrive(_ datagram: ByteBuffer) throws {
            last = datagram
            let remote = Simulation.address("10.0.0.1", port)
            let id = QUICPacketHeader.destinationConnectionID(of: datagram)
            if let index = guests.firstIndex(where: { guest in id.map(guest.connection.connectionIDs.contains) ?? false
            }) {
                guests[index].received += datagram.readableBytes
                guests[index].connection.receive(
                    datagram, from: remote, to: Simulation.serverAddress, ecn: .transportNotCapable, at: now)
                return try drain()
            }
            switch acceptor.decide(datagram, from: remote, to: Simulation.serverAddress, at: now) {
            case .ignore: break
            case .reply(let answer): try check(answer, to: datagram, remote)
            case .accept(let incoming): try accept(incoming, datagram, remote)
            }
            try drain()
        }

        private func accept(_ incoming: QUICIncomingConnection, _ datagram: ByteBuffer, _ remote: SocketAddress) throws
        {
            try require(datagram.readableBytes >= 1200, "a first datagram of \(datagram.readableBytes) bytes")
            if let refusal = acceptor.refusal(of: incoming) { try check(refusal, to: datagram, remote) }
            guard guests.count < 4, let connection = try? QUICConnection.server(accepting: incoming, now: now) else {
                return
            }
            guests.append(
                Guest(
                    connection: connection, remote: remote, received: datagram.readableBytes,
                    isAddressValidated: incoming.isAddressValidated))
        }

        private func check(_ answer: QUICDatagram, to datagram: ByteBuffer, _ remote: SocketAddress) throws {
            try require(
                answer.remote == remote && answer.local == Simulation.serverAddress, "an answer to somebody else")
            let limit = datagram.readableBytes + (datagram.readableBytes >= 1200 ? 100 : 0)
            try require(
                answer.bytes.readableBytes <= limit,
                "an answer of \(answer.bytes.readableBytes) bytes to \(datagram.readableBytes)")
            client?.receive(
                answer.bytes, from: Simulation.serverAddress, to: remote, ecn: .transportNotCapable, at: now)
        }

        private func drain() throws {
            for index in guests.indices {
                let connection = guests[index].connection
                while connection.nextEvent() != nil {}
                var count = 0
                while let datagram = connection.nextDatagram(at: now) {
                    count += 1
                    try require(count < 1000, "a connection sends without end")
                    guests[index].sent += datagram.bytes.readableBytes
                    // RFC 9000 8.1
                    let guest = guests[index]
                    let isFree = guest.isAddressValidated || connection.isHandshakeCompleted
                    try require(
                        isFree || guest.sent <= 3 * guest.received,
                        "\(guest.sent) bytes are sent for \(guest.received) to an address that may be forged")
                    client?.receive(
                        datagram.bytes, from: datagram.local, to: datagram.remote, ecn: .transportNotCapable, at: now)
                }
                try require(connection.connectionIDs.count <= 16, "\(connection.connectionIDs.count) connection IDs")
            }
            while client?.nextEvent() != nil {}
        }

        private func wait(_ time: TimeAmount) throws {
            now = now + time
            for connection in guests.map(\.connection) + [client].compactMap({ $0 }) {
                if let deadline = connection.deadline, deadline <= now { connection.handleDeadline(at: now) }
            }
            try drain()
        }

        /// A connection that hears nothing more ends by itself.
        func finish() throws {
            for _ in 0..<400 {
                guard let next = guests.compactMap(\.connection.deadline).min() else { break }
                now = max(now, next)
                try wait(.zero)
                client = nil
            }
            try require(guests.allSatisfy(\.connection.isClosed), "a connection without a peer does not end")
        }
    }
}
