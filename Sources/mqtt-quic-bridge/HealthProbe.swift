import BridgeCore
import Foundation
import NIOCore
import NIOPosix
import QUICTransport

/// Opens a TCP connection to a listener and closes it again.
enum HealthProbe {
    /// Shorter than the usual time limit of a container's health check.
    static let timeout = TimeAmount.seconds(2)

    /// What keeps devices from connecting to `listener`; `nil` where nothing does.
    static func problem(with listener: ListenAddress) async -> String? {
        guard listener.port != 0 else {
            return "the port is chosen by the system at start, so that there is no address to connect to"
        }
        do {
            let address = try SocketAddress.literal(target(of: listener), port: listener.port)
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(timeout)
                .connect(to: address).get()
            try? await channel.close().get()
            return nil
        } catch let error as IOError {
            return "nobody accepts connections: \(String(cString: strerror(error.errnoCode)))"
        } catch {
            return "nobody accepts connections: \(error)"
        }
    }

    /// All interfaces are reached through loopback.
    static func target(of listener: ListenAddress) -> String {
        guard let address = try? SocketAddress.literal(listener.host, port: listener.port) else {
            return listener.host
        }
        switch address {
        case .v4(let address): return address.address.sin_addr.s_addr == 0 ? "127.0.0.1" : listener.host
        case .v6: return isUnspecified(address) ? "::1" : listener.host
        case .unixDomainSocket: return listener.host
        }
    }

    /// `::`, in whichever way it is written.
    private static func isUnspecified(_ address: SocketAddress) -> Bool {
        address.ipAddress == "::"
    }
}
