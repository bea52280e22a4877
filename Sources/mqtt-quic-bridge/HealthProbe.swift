import BridgeCore
import Foundation
import NIOCore
import NIOPosix
import QUICTransport

/// Opens a TCP connection to a listener and closes it again.
enum HealthProbe {
    /// Shorter than the usual timeout of a container's health check.
    static let timeout = TimeAmount.seconds(2)

    /// Why devices cannot connect to `listener`; `nil` if they can.
    static func problem(with listener: ListenAddress) async -> String? {
        guard listener.port != 0 else {
            return "the system chooses the port at the start, so there is no known address to connect to"
        }
        do {
            let address = try SocketAddress.literal(target(of: listener), port: listener.port)
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(timeout)
                .connect(to: address).get()
            try? await channel.close().get()
            return nil
        } catch let error as IOError {
            return "nothing accepts connections: \(String(cString: strerror(error.errnoCode)))"
        } catch {
            return "nothing accepts connections: \(error)"
        }
    }

    /// The address to connect to: loopback if the listener accepts on all interfaces.
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

    /// Whether the address is `::`, in any spelling.
    private static func isUnspecified(_ address: SocketAddress) -> Bool {
        address.ipAddress == "::"
    }
}
