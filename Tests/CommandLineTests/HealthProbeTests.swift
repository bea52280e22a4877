import BridgeCore
import NIOCore
import NIOPosix
import Testing

@testable import mqtt_quic_bridge

struct HealthProbeTests {
    @Test(arguments: [
        ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("0:0::0", "::1"), ("127.0.0.1", "127.0.0.1"), ("fd00::1", "fd00::1"),
        ("192.0.2.1", "192.0.2.1"),
    ])
    func allInterfacesAreReachedThroughLoopback(_ host: String, _ expected: String) {
        #expect(HealthProbe.target(of: ListenAddress(host: host, port: 1)) == expected)
    }

    @Test func aListenerThatIsThereAndOneThatIsNot() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let listener = ListenAddress(host: "0.0.0.0", port: port)
        #expect(await HealthProbe.problem(with: listener) == nil)
        try await server.close().get()
        #expect(await HealthProbe.problem(with: listener)?.hasPrefix("nothing accepts connections") == true)
        #expect(await HealthProbe.problem(with: ListenAddress(host: "127.0.0.1", port: 0)) != nil)
    }
}
