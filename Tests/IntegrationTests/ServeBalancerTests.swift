import Foundation
import NIOCore
import Synchronization
import Testing

@testable import QUICTransport

/// Several servers behind a load balancer that reads the server ID from connection IDs, as QUIC-LB has it.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ServeBalancerTests {
    /// Where the balancer sends datagrams.
    private final class Balancer: Sendable {
        /// The servers' ports by their IDs of one byte.
        private let servers: [UInt8: Int]
        /// Which server gets what names none.
        private let next: Mutex<UInt8>

        init(_ servers: [UInt8: Int]) {
            self.servers = servers
            next = Mutex(1)
        }

        func sendNewClients(to server: UInt8) {
            next.withLock { $0 = server }
        }

        func port(for datagram: ByteBuffer) -> Int? {
            // The first byte has the configuration 0 and the number of bytes behind it.
            let id = QUICPacketHeader.destinationConnectionID(of: datagram, localLength: 10)
            if let id, id.count == 10, id[0] == 9, let server = id[1], let port = servers[server] { return port }
            return servers[next.withLock { $0 }]
        }
    }

    /// A client whose address changes looks new to the balancer, which would send it to another server.
    @Test(arguments: ["never", "always"], [1, 4])
    func aClientStaysAtItsServerWhenItsAddressChanges(retry: String, threads: Int) async throws {
        var options = ServeScenario.Options()
        options.threads = threads
        options.serve = ["server_id: \"01\"", "retry: \(retry)"]
        let given = options
        try await ServeScenario.run(given) { scenario in
            var other = given
            other.serve[0] = "server_id: \"02\""
            let second = try await Serve.start(
                in: scenario.folder,
                configuration: try await ServeScenario.configuration(
                    other, in: scenario.folder, brokerPort: scenario.broker.port))
            await scenario.own(second.process)
            let servers = [1: scenario.serve, 2: second]
            let balancer = Balancer([1: scenario.serve.port, 2: second.port])
            let nat = try await UDPRelay.start(to: scenario.serve.port)
            try await nat.set { $0.serverPort = { balancer.port(for: $0) } }
            for (number, serve) in servers.sorted(by: { $0.key < $1.key }) {
                balancer.sendNewClients(to: UInt8(number))
                let client = try await QUICClient.connect(port: nat.port)
                let (stream, connack) = try await client.session("client-\(number)")
                try await serve.logs("client_id=client-\(number)")
                balancer.sendNewClients(to: UInt8(3 - number))
                for round in 1...3 {
                    try await nat.rebind()
                    try await client.send(RawMQTT.pingreq, on: stream)
                    _ = try await client.received(connack.count + 2 * round, on: stream)
                    // Each rebinding occupies a connection ID for a while.
                    try await Task.sleep(for: .seconds(1))
                }
                await client.stop()
            }
            await nat.stop()
        }
    }
}
