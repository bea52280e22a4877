import BridgeCore
import NIOCore
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An address that devices, or clients, cannot be accepted on.
package struct ListenError: Error, CustomStringConvertible {
    package enum Transport: Sendable {
        case tcp
        case quic
    }

    package let address: ListenAddress
    package let transport: Transport
    /// In the system's words.
    package let reason: String
    /// The system's `errno`; `nil` if the error did not come from a system call.
    package let code: CInt?
    /// The address of the same configuration that is in the way.
    package let rival: ListenAddress?

    /// - Parameter others: those of the configuration that are listened at already.
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

    /// Another program uses the address, maybe this one a second time.
    package var isInUse: Bool { code == EADDRINUSE && rival == nil }

    package var description: String {
        let port = transport == .tcp ? "port" : "UDP port"
        return "cannot listen on \(address.host) \(port) \(address.port): \(reason)\(advice)"
    }

    private var advice: String {
        if let rival {
            return ". It is the same as \(rival.host), which stands before it in the list: leave one of the two out"
        }
        switch code {
        case EADDRINUSE?:
            let (other, table) =
                transport == .tcp ? ("a local MQTT broker?", "ss -ltnp") : ("an MQTT broker with QUIC?", "ss -lunp")
            return ". Another program (\(other)), or this one a second time, is using the port: "
                + "\(table) 'sport = :\(address.port)' shows which"
        case EADDRNOTAVAIL?:
            return ". The address is not one of this machine's: ip address shows those that it has"
        case EACCES?, EPERM?:
            return ". Ports below 1024 are for root, or for a program with CAP_NET_BIND_SERVICE"
        case EAFNOSUPPORT?:
            return ". IPv6 is switched off on this machine"
        default:
            return ""
        }
    }
}
