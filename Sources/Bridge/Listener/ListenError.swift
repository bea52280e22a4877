import BridgeCore
import NIOCore
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The program cannot listen on an address for devices (TCP) or clients (QUIC).
package struct ListenError: Error, CustomStringConvertible {
    /// What the program listens for on the address.
    package enum Transport: Sendable {
        case tcp
        case quic
    }

    /// The address as configured.
    package let address: ListenAddress
    package let transport: Transport
    /// The system's error message.
    package let reason: String
    /// The system's `errno`; `nil` if the error did not come from a system call.
    package let code: CInt?
    /// Another address of the configuration that uses the same port already, if that is the reason.
    package let rival: ListenAddress?

    /// - Parameter others: The configured addresses that the program listens on already.
    init(
        _ address: ListenAddress, _ transport: Transport, _ error: any Error,
        besides others: some Sequence<ListenAddress>
    ) {
        self.address = address
        self.transport = transport
        self.reason = error.inWords
        self.code = (error as? IOError)?.errnoCode
        self.rival = code == EADDRINUSE ? address.rival(among: others) : nil
    }

    /// Whether another program, or another instance of this one, uses the address.
    package var isInUse: Bool { code == EADDRINUSE && rival == nil }

    package var description: String {
        let port = transport == .tcp ? "port" : "UDP port"
        return "cannot listen on \(address.host) \(port) \(address.port): \(reason)\(advice)"
    }

    private var advice: String {
        if let rival {
            return ". It is the same as \(rival.host), which is listed before it: remove one of the two"
        }
        switch code {
        case EADDRINUSE?:
            let (other, table) =
                transport == .tcp ? ("a local MQTT broker?", "ss -ltnp") : ("an MQTT broker with QUIC?", "ss -lunp")
            return ". Another program (\(other)), or another instance of this one, is using the port: "
                + "\(table) 'sport = :\(address.port)' shows which"
        case EADDRNOTAVAIL?:
            return ". This machine does not have that address: ip address shows the addresses that it has"
        case EACCES?, EPERM?:
            return ". Ports below 1024 need root or the capability CAP_NET_BIND_SERVICE"
        case EAFNOSUPPORT?:
            return ". IPv6 is disabled on this machine"
        default:
            return ""
        }
    }
}
