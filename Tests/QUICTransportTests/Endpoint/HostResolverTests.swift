import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

@Suite struct HostResolverTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    @Test(arguments: ["127.0.0.1", "::1"])
    func literalsNeedNoLookup(_ literal: String) async throws {
        let addresses = try await HostResolver().resolve(host: literal, port: 14_567, on: loop).get()
        #expect(addresses == [try SocketAddress(ipAddress: literal, port: 14_567)])
    }

    @Test func localhostHasAnAddressWithThePort() async throws {
        let addresses = try await HostResolver().resolve(host: "localhost", port: 14_567, on: loop).get()
        #expect(!addresses.isEmpty)
        #expect(addresses.allSatisfy { $0.port == 14_567 })
    }

    @Test func aNameThatCannotBeIsNamed() async throws {
        do {
            _ = try await HostResolver().resolve(host: "no such host", port: 1, on: loop).get()
            Issue.record("it resolved")
        } catch let error as QUICResolutionError {
            #expect(error.host == "no such host")
            #expect("\(error)".contains("no such host"))
        }
    }
}
