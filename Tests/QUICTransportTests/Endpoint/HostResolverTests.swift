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

    /// /etc/hosts has the name without its dot.
    @Test func anAbsoluteNameIsResolved() async throws {
        let addresses = try await HostResolver().resolve(host: "localhost.", port: 1, on: loop).get()
        #expect(!addresses.isEmpty)
    }

    @Test func aZoneIsTheInterfaces() async throws {
        let addresses = try await HostResolver().resolve(host: "fe80::1%lo", port: 7, on: loop).get()
        #expect(addresses.map(\.hostAndPort) == ["[fe80::1%lo]:7"])
        #expect(addresses == [try SocketAddress.literal("fe80::1%1", port: 7)])
        await #expect(
            throws: QUICResolutionError(
                host: "fe80::1%none",
                reason: "this machine has no network interface 'none' (ip link shows those that it has)")
        ) {
            try await HostResolver().resolve(host: "fe80::1%none", port: 7, on: loop).get()
        }
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
