import BridgeCore
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The program cannot listen on the address of the admin endpoint.
package struct AdminListenError: Error, CustomStringConvertible {
    /// The address as configured.
    package let address: ListenAddress
    /// The system's error message.
    package let reason: String
    private let code: CInt?

    init(_ address: ListenAddress, _ error: any Error) {
        self.address = address
        self.code = (error as? IOError)?.errnoCode
        self.reason = code.map { String(cString: strerror($0)) } ?? "\(error)"
    }

    package var description: String {
        "cannot listen on \(address.host) port \(address.port) for the admin endpoint: \(reason)\(advice)"
    }

    private var advice: String {
        let choice = "name another address in admin.listen, or off"
        switch code {
        case EADDRINUSE?:
            return ". Another program, or another instance of this one, is using the port: "
                + "ss -ltnp 'sport = :\(address.port)' shows which; \(choice)"
        case EADDRNOTAVAIL?:
            return ". This machine does not have that address: ip address shows the addresses that it has; \(choice)"
        case EACCES?, EPERM?:
            return ". Ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; \(choice)"
        default:
            return "; \(choice)"
        }
    }
}
