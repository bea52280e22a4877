import BridgeCore
import NIOCore
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The listening sockets that a service manager has opened for `run`, in the place of those that it would open itself.
///
/// While the program is restarted the service manager keeps them, so that devices that connect meanwhile wait instead of
/// being refused.
package struct PassedSockets: Sendable {
    /// The program opens all of its sockets itself.
    package static let none = PassedSockets()

    /// By the index of the address in `listen`.
    private var descriptors: [Int: CInt] = [:]

    private init() {}

    /// Assigns each descriptor to the address that its socket is bound to.
    ///
    /// - Throws: If a descriptor is no listening TCP socket, or is bound to none of the addresses, or to that of another
    ///   one.
    package init(_ passed: [PassedDescriptor], for listen: [ListenAddress]) throws(SupervisionError) {
        for descriptor in passed {
            let bound = try Self.address(of: descriptor)
            let index = listen.firstIndex { address in
                (try? SocketAddress.literal(address.host, port: address.port)).map { $0 == bound } ?? false
            }
            guard let index else {
                throw SupervisionError(
                    "the passed socket \(descriptor) is bound to \(bound.hostAndPort), which is not in `listen`"
                        + " (\(listen.map(\.name).joined(separator: ", "))): write the same address in both, such as"
                        + " ListenStream=\(listen.first?.hostAndPort ?? bound.hostAndPort)")
            }
            guard descriptors.updateValue(descriptor.number, forKey: index) == nil else {
                throw SupervisionError(
                    "the passed socket \(descriptor) is bound to \(bound.hostAndPort), as is another passed socket")
            }
            _ = fcntl(descriptor.number, F_SETFD, FD_CLOEXEC)
        }
    }

    /// The socket for the address with that index in `listen`; `nil` if the program has to open it.
    func descriptor(for index: Int) -> CInt? { descriptors[index] }

    /// Throws if a socket was passed to `serve`, which cannot use one: it has a UDP socket for each event loop, and the
    /// system divides the clients among those.
    package static func refuse(_ passed: [PassedDescriptor]) throws(SupervisionError) {
        guard let first = passed.first else { return }
        throw SupervisionError(
            "the socket \(first) was passed to serve, which opens its UDP sockets itself: remove the .socket unit")
    }

    private static func address(of descriptor: PassedDescriptor) throws(SupervisionError) -> SocketAddress {
        guard let type = option(SO_TYPE, of: descriptor.number) else {
            throw SupervisionError(
                "the passed descriptor \(descriptor) is no socket: \(String(cString: strerror(errno)))")
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor.number, $0.baseAddress, &length) }
        }
        let address: SocketAddress? =
            switch Int32(storage.ss_family) {
            case AF_INET where result == 0: SocketAddress(storage.read(as: sockaddr_in.self))
            case AF_INET6 where result == 0: SocketAddress(storage.read(as: sockaddr_in6.self))
            default: nil
            }
        guard type == CInt(SOCK_STREAM.rawValue), option(SO_ACCEPTCONN, of: descriptor.number) == 1, let address else {
            throw SupervisionError(
                "the passed socket \(descriptor) is no listening TCP socket: devices need ListenStream= with an IP"
                    + " address and a port, and Accept=no")
        }
        return address
    }

    private static func option(_ name: CInt, of descriptor: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}

extension sockaddr_storage {
    fileprivate func read<Address>(as type: Address.Type) -> Address {
        withUnsafeBytes(of: self) { $0.loadUnaligned(as: type) }
    }
}

extension ListenAddress {
    /// Host and port, whatever the address is called.
    fileprivate var hostAndPort: String { ListenAddress(host: host, port: port).name }
}
