import BridgeCore
import Foundation
import NIOCore
import NIOPosix
import QUICTransport
import TLSTransport
import Testing

@testable import Bridge

/// Connections to the fallback before there is a channel.
@Suite(.mapping(.connection), .timeLimit(.minutes(5)))
struct TLSDialerTests {
    private final class Owner: UplinkCarrierObserver {
        let failed: EventLoopPromise<UplinkConnectionEnd>
        var connection: TLSCarrier?

        init(on loop: any EventLoop) {
            failed = loop.makePromise()
        }

        func carrierReady(_ carrier: any UplinkCarrier, _ readiness: UplinkReadiness) {
            failed.fail(HarnessError("connected to nobody"))
        }

        func carrierFailed(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd) {
            failed.succeed(end)
        }
    }

    /// A valid key of a kind that BoringSSL does not support, such as RSA-PSS. Here the name of the key's algorithm is
    /// changed.
    @Test func aKindOfKeyThatIsNotKnownIsNamed() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let certificates = try await Certificates.make()
        let lines = try String(contentsOfFile: certificates.key("client"), encoding: .utf8).split(separator: "\n")
        var der = try #require(Data(base64Encoded: lines.dropFirst().dropLast().joined()))
        let name = try #require(der.firstRange(of: Data([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01])))
        der[name.upperBound - 1] = 0x7F
        let key = try folder.write(
            "odd.key", "-----BEGIN PRIVATE KEY-----\n\(der.base64EncodedString())\n-----END PRIVATE KEY-----\n")
        let uplink = UplinkConfiguration(
            host: "localhost", caFile: certificates.certificate("ca"),
            clientCertificateFile: certificates.certificate("client"), clientKeyFile: key)
        let error = #expect(throws: QUICError.self) {
            try TLSClientContext(UplinkFallback(host: "localhost", port: 8_883), uplink)
        }
        let said = "\(try #require(error))"
        #expect(said.contains(key) && said.contains("does not know this kind of key"), "\(said)")
        #expect(!said.contains("PEM"), "\(said)")
    }

    /// Attempts that were given up are not kept until DNS answers, however many there are.
    @Test func nobodyStaysInALookupThatHangs() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let certificates = try await Certificates.make()
        let fallback = UplinkFallback(host: "localhost", port: 8_883)
        let uplink = UplinkConfiguration(host: "localhost", caFile: certificates.certificate("ca"))
        let context = try TLSClientContext(fallback, uplink)
        let never = loop.makePromise(of: [SocketAddress].self)
        let count = 300
        let state = try await loop.submit {
            let dialer = TLSDialer(
                context, BridgeConfiguration(uplink: uplink), on: loop, resolve: { _, _, _ in never.futureResult })
            let owners = (0..<count).map { index in
                let owner = Owner(on: loop)
                owner.connection = dialer.dial(
                    .unplanned, within: .milliseconds(index == 0 ? 600_000 : 50), observer: owner)
                return owner
            }
            return NIOLoopBound((dialer, owners), eventLoop: loop)
        }.get()
        for index in 1..<count {
            let error = try await loop.flatSubmit { state.value.1[index].failed.futureResult }.get()
            #expect("\(error)".isEmpty == false)
        }
        let waiting: @Sendable () -> Int = { state.value.0.waitingCount }
        #expect(try await loop.submit(waiting).get() == 1)
        // An attempt that its owner has closed is not kept either.
        try await loop.submit {
            state.value.1[0].connection?.close()
            state.value.1[0].failed.fail(HarnessError("closed"))
        }.get()
        #expect(try await loop.submit(waiting).get() == 0)
        never.succeed([try SocketAddress(ipAddress: "127.0.0.1", port: 8_883)])
    }
}
