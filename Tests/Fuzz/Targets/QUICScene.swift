import NIOCore
import QUICSimulation
import QUICTransport
import TestSupport

/// A pair of connections in a network that a fuzzer rules.
final class QUICScene {
    /// Read once, because every input begins with a handshake.
    static let tls = Result {
        (client: try TestCertificates.shared.client(), server: try TestCertificates.shared.server())
    }

    private let simulation: Simulation
    private var choices: Choices
    private var isTroubled = false
    private var kept: [(QUICDatagram, isToServer: Bool)] = []
    private var sent: [QUICStreamID: Int] = [:]
    private var received: [QUICStreamID: Int] = [:]
    private var answered: [QUICStreamID: Int] = [:]
    private var failure: String?
    private var port = 40_000

    init(_ choices: Choices) throws {
        self.choices = choices
        let start = self.choices.byte()
        simulation = try Simulation(
            client: .test { $0.pathMTUDiscovery = start & 4 == 0 },
            server: .test { $0.pathMTUDiscovery = start & 8 == 0 }, clientTLS: Self.tls.get().client,
            serverTLS: Self.tls.get().server, retry: start & 2 == 0 ? .never : .always)
        simulation.onSend = { [unowned self] datagram, isToServer in decide(datagram, isToServer) }
        simulation.onServerEvent = { [unowned self] event in
            guard case .streamData(let id, let bytes, _) = event else { return }
            check(id, bytes)
            simulation.server?.consumed(id, bytes: bytes.readableBytes)
        }
        simulation.onClientEvent = { [unowned self] event in
            guard case .streamData(let id, let bytes, _) = event else { return }
            simulation.client.consumed(id, bytes: bytes.readableBytes)
        }
        if start & 1 == 0 { simulation.run(for: .seconds(2)) { simulation.client.isHandshakeConfirmed } }
        isTroubled = true
    }

    func run() throws {
        for _ in 0..<400 where !choices.isExhausted { try step() }
        isTroubled = false
        heal()
        try settle()
        if let failure { throw FuzzFailure(failure) }
        simulation.onSend = nil
        simulation.onServerEvent = nil
        simulation.onClientEvent = nil
    }

    // MARK: What applications do

    private func step() throws {
        let client = simulation.client
        switch choices.byte() % 16 {
        case 0, 1:
            if let id = try? client.openStream() { sent[id] = 0 }
        case 2, 3, 4: write(fin: false)
        case 5: write(fin: true)
        case 6:
            guard let id = anyStream() else { break }
            sent[id] = nil
            client.reset(id, code: 1)
        case 7:
            // The server sends something back on a stream that it knows.
            guard let id = anyStream(), received[id] != nil, let server = simulation.server else { break }
            server.write(id, ByteBuffer(repeating: 1, count: 100 * Int(choices.byte())), fin: false)
        case 8:
            port = 40_000 + Int(choices.byte() % 8)
            simulation.clientAppearsAs = Simulation.address("10.0.0.1", port)
        case 9: try? client.initiateKeyUpdate(at: simulation.now)
        case 10: repeatKept()
        case 11: injectOwn()
        default: simulation.run(for: .milliseconds(Int64(choices.byte()) * (choices.byte() & 1 == 0 ? 1 : 30)))
        }
        simulation.flush()
        try checkBounds()
    }

    private func anyStream() -> QUICStreamID? {
        let ids = sent.keys.sorted { "\($0)" < "\($1)" }
        guard !ids.isEmpty else { return nil }
        return ids[Int(choices.byte()) % ids.count]
    }

    private func write(fin: Bool) {
        guard let id = anyStream(), let start = sent[id], simulation.client.bufferedBytes(id) < 100_000 else { return }
        let count = 37 * Int(choices.byte())
        let bytes = (start..<start + count).map { UInt8(truncatingIfNeeded: $0 % 251) }
        simulation.client.write(id, ByteBuffer(bytes: bytes), fin: fin)
        sent[id] = fin ? nil : start + count
    }

    private func check(_ id: QUICStreamID, _ bytes: ByteBuffer) {
        let start = received[id] ?? 0
        for (offset, byte) in bytes.readableBytesView.enumerated()
        where byte != UInt8(truncatingIfNeeded: (start + offset) % 251) {
            failure = "stream \(id): the byte \(start + offset) is \(byte)"
            break
        }
        received[id] = start + bytes.readableBytes
    }

    // MARK: What the network does

    private func decide(_ datagram: QUICDatagram, _ isToServer: Bool) {
        guard isTroubled else { return }
        heal()
        let choice = choices.byte()
        switch choice {
        case 0..<150: break
        case 150..<180: cut(isToServer)
        case 180..<195: delay(isToServer, by: .milliseconds(Int64(choice) * 5))
        case 195..<210: simulation.inject(datagram, toServer: isToServer, after: .milliseconds(Int64(choice)))
        case 210..<235: simulation.inject(damaged(datagram), toServer: isToServer, after: .milliseconds(5))
        default:
            if kept.count == 16 { kept.removeFirst() }
            kept.append((datagram, isToServer))
        }
    }

    private func heal() {
        simulation.toServer = Link()
        simulation.toClient = Link()
    }

    private func cut(_ isToServer: Bool) {
        if isToServer { simulation.toServer.isCut = true } else { simulation.toClient.isCut = true }
    }

    private func delay(_ isToServer: Bool, by time: TimeAmount) {
        if isToServer { simulation.toServer.delay = time } else { simulation.toClient.delay = time }
    }

    private func damaged(_ datagram: QUICDatagram) -> QUICDatagram {
        var bytes = Array(datagram.bytes.readableBytesView)
        for _ in 0..<(1 + choices.byte() % 4) where !bytes.isEmpty {
            let place = (Int(choices.byte()) << 8 | Int(choices.byte())) % bytes.count
            bytes[place] ^= max(choices.byte(), 1)
        }
        if choices.byte() & 7 == 0 { bytes = Array(bytes.prefix(Int(choices.byte()) * 5)) }
        var copy = datagram
        copy.bytes = ByteBuffer(bytes: bytes)
        return copy
    }

    private func repeatKept() {
        guard !kept.isEmpty else { return }
        let (datagram, isToServer) = kept[Int(choices.byte()) % kept.count]
        simulation.inject(datagram, toServer: isToServer, after: .milliseconds(1))
    }

    private func injectOwn() {
        let isToServer = choices.byte() & 1 == 0
        let bytes = ByteBuffer(bytes: choices.take(Int(choices.byte())))
        let (from, to) =
            isToServer
            ? (Simulation.clientAddress, Simulation.serverAddress)
            : (Simulation.serverAddress, Simulation.clientAddress)
        simulation.inject(
            QUICDatagram(bytes: bytes, local: from, remote: to, ecn: .transportNotCapable), toServer: isToServer,
            after: .milliseconds(1))
    }

    // MARK: What has to hold

    private func checkBounds() throws {
        for connection in [simulation.client, simulation.server].compactMap({ $0 }) {
            let count = connection.connectionIDs.count
            try require(count <= 24, "\(count) connection IDs")
        }
        if let failure { throw FuzzFailure(failure) }
    }

    /// In a network that is well again, an end reaches the other side, and otherwise a message does.
    private func settle() throws {
        simulation.run(for: .seconds(5))
        let client = simulation.client
        guard !client.isClosed, let server = simulation.server, !server.isClosed,
            client.isHandshakeConfirmed, server.isHandshakeConfirmed, let id = try? client.openStream()
        else {
            // Whatever is left hears nothing more, or says nothing more.
            simulation.run(for: .seconds(300))
            try require(client.isClosed, "the client does not notice the end")
            return try require(simulation.server?.isClosed ?? true, "the server does not notice the end")
        }
        sent[id] = 10
        client.write(id, ByteBuffer(bytes: 0..<10), fin: false)
        let hasArrived = simulation.run(for: .seconds(60)) {
            received[id] == 10 || client.isClosed || server.isClosed
        }
        try require(hasArrived, "nothing arrives any more, and neither side ends the connection")
    }
}
