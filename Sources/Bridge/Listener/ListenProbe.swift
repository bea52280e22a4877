import BridgeCore
import NIOCore
import QUICTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Sees whether addresses are to be had for listening, all of them at the same time, and lets go of them at once.
enum ListenProbe {
    /// What speaks against each of them, in their order.
    static func problems(with addresses: [ListenAddress], _ transport: ListenError.Transport) -> [ListenError] {
        var descriptors: [CInt] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        var problems: [ListenError] = []
        for (index, address) in addresses.enumerated() {
            do {
                let descriptor = try bind(address, transport, leavesIPv4: address.leavesIPv4(to: addresses))
                descriptors.append(descriptor)
                // Sockets that may share an address exclude each other only once they listen.
                let others = addresses[(index + 1)...]
                if transport == .tcp, others.contains(where: { $0.port == address.port }) { listen(descriptor, 0) }
            } catch {
                problems.append(ListenError(address, transport, error, besides: addresses[..<index]))
            }
        }
        return problems
    }

    /// One that is in use is no more than a warning: the program that is being configured may be running.
    ///
    /// Throws ``ListenError`` for the first that cannot be had at all.
    static func warnings(
        _ addresses: [ListenAddress], _ transport: ListenError.Transport
    ) throws(ListenError) -> [String] {
        let problems = problems(with: addresses, transport)
        if let problem = problems.first(where: { !$0.isInUse }) { throw problem }
        return problems.map { "\($0); fine where that is the program which is to have this configuration" }
    }

    private static func bind(
        _ address: ListenAddress, _ transport: ListenError.Transport, leavesIPv4: Bool
    ) throws -> CInt {
        let target = try SocketAddress.literal(address.host, port: address.port)
        let type = Int32((transport == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(target.protocol == .inet6 ? AF_INET6 : AF_INET, type, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        // As the listeners have it.
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

// Within the type `bind` is its own.
private func systemBind(_ descriptor: CInt, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> CInt {
    bind(descriptor, address, length)
}
