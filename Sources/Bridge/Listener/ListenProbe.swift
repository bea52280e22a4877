import BridgeCore
import NIOCore
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Checks whether the program could listen on all of its addresses at the same time, and releases them at once.
enum ListenProbe {
    /// Returns the errors of the addresses that are not available, in their order.
    static func problems(with addresses: [ListenAddress], _ transport: ListenError.Transport) -> [ListenError] {
        var descriptors: [CInt] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        var problems: [ListenError] = []
        for (index, address) in addresses.enumerated() {
            do {
                let descriptor = try bind(address, transport, leavesIPv4: address.leavesIPv4(to: addresses))
                descriptors.append(descriptor)
                // With SO_REUSEADDR, two sockets with one address exclude each other only once one of them listens.
                let others = addresses[(index + 1)...]
                if transport == .tcp, others.contains(where: { $0.port == address.port }) { listen(descriptor, 0) }
            } catch {
                problems.append(ListenError(address, transport, error, besides: addresses[..<index]))
            }
        }
        return problems
    }

    /// An address that is in use is only a warning, because the program that is being configured may be running.
    ///
    /// Throws ``ListenError`` for the first address that cannot be listened on for another reason.
    static func warnings(
        _ addresses: [ListenAddress], _ transport: ListenError.Transport
    ) throws(ListenError) -> [String] {
        let problems = problems(with: addresses, transport)
        if let problem = problems.first(where: { !$0.isInUse }) { throw problem }
        return problems.map { "\($0); ignore this if it is the program that will use this configuration" }
    }

    private static func bind(
        _ address: ListenAddress, _ transport: ListenError.Transport, leavesIPv4: Bool
    ) throws -> CInt {
        let target = try SocketAddress.literal(address.host, port: address.port)
        let type = Int32((transport == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(target.protocol == .inet6 ? AF_INET6 : AF_INET, type, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        // The listeners set the same option.
        if transport == .tcp { set(SOL_SOCKET, SO_REUSEADDR, of: descriptor) }
        if leavesIPv4 { set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, of: descriptor) }
        let result = target.withSockAddr { systemBind(descriptor, $0, socklen_t($1)) }
        guard result == 0 else {
            let error = IOError(errnoCode: errno, reason: "bind")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func set(_ level: CInt, _ option: CInt, of descriptor: CInt) {
        var value: CInt = 1
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }
}

// Inside the type, `bind` names its own method.
private func systemBind(_ descriptor: CInt, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> CInt {
    bind(descriptor, address, length)
}
