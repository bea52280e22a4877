import BridgeCore
import Logging
import NIOCore
import NIOPosix
import QUICTransport

/// Makes one QUIC connection to the broker, sends no MQTT on it, and reports what the handshake showed.
package enum UplinkProbe {
    /// Tries the broker's addresses in turn. Throws the last address's ``QUICError``, or ``QUICResolutionError``.
    package static func run(_ uplink: UplinkConfiguration, logger: Logger) async throws -> UplinkReport {
        let tls = try QUICTLSContext.client(uplink)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let report = try await run(uplink, tls, on: group.next(), logger)
            try await group.shutdownGracefully()
            return report
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func run(
        _ uplink: UplinkConfiguration, _ tls: QUICTLSContext, on eventLoop: any EventLoop, _ logger: Logger
    ) async throws -> UplinkReport {
        let addresses = try await HostResolver()
            .resolve(host: uplink.host, port: uplink.port, on: eventLoop).get()
            .filter { uplink.addressFamily.admits($0) }
        var failure: any Error = QUICResolutionError(
            host: uplink.host, reason: "it has no \(uplink.addressFamily.rawValue) address")
        for address in addresses {
            do {
                return try await eventLoop.flatSubmit {
                    ProbeConnection.start(address, uplink, tls, on: eventLoop, logger)
                }.get()
            } catch {
                failure = error
            }
        }
        throw failure
    }
}

extension UplinkConfiguration.AddressFamily {
    /// Whether the operator allows the address's family.
    func admits(_ address: SocketAddress) -> Bool {
        switch (self, QUICAddressFamily(address)) {
        case (_, nil): false
        case (.any, _), (.ipv4, .ipv4), (.ipv6, .ipv6): true
        case (.ipv4, .ipv6), (.ipv6, .ipv4): false
        }
    }
}
