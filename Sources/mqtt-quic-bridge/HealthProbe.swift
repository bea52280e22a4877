import BridgeAdmin
import BridgeCore
import NIOCore
import NIOPosix
import QUICTransport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Opens a TCP connection to a listener and closes it again.
enum HealthProbe {
    /// Shorter than the usual timeout of a container's health check.
    static let timeout = TimeAmount.seconds(2)

    /// A health check of an admin endpoint.
    enum Question: String {
        /// Whether every event loop turns.
        case liveness = "/healthz"
        /// Whether a device that came now would reach the broker.
        case readiness = "/readyz"
    }

    /// What a health check says.
    enum Answer: Equatable {
        case yes
        case no(String)
        /// Nothing answers there, or something else does.
        case silent(String)
    }

    /// Longer than a handshake with the broker, which the program may try before it answers.
    private static let answerTimeout = Duration.seconds(12)

    /// - Parameter tokenFile: Where the token is, with which the answer says more. It goes without, too.
    static func ask(_ question: Question, at address: ListenAddress, tokenFile: String?) async -> Answer {
        guard address.port != 0 else {
            return .silent("the system chooses the port of admin.listen, so there is no known address to ask")
        }
        let url = AdminURL(host: target(of: address), port: address.port)
        do {
            let token = tokenFile.flatMap { try? AdminClient.token(in: $0) }
            let answer = try await AdminClient(url, token: token, timeout: answerTimeout).send("GET", question.rawValue)
            let state = try? JSONDecoder().decode(ServiceState.self, from: Data(answer.body.utf8))
            switch (answer.status, state) {
            case (200, _?): return .yes
            case (503, let state?): return .no(state.detail)
            default: return .silent("\(url) answers \(answer.status): is it the admin endpoint of this program?")
            }
        } catch {
            return .silent("\(error)")
        }
    }

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
