import Glibc

/// Chooses TCP ports of the loopback interface that nothing uses, for programs that cannot choose one by themselves.
package enum FreePorts {
    /// - Throws: `SuiteError` if the system gives none.
    package static func find(_ count: Int) throws -> [Int] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
                }
            }
            guard result else { throw SuiteError("there is no free port: \(String(cString: strerror(errno)))") }
            return Int(in_port_t(bigEndian: address.sin_port))
        }
    }
}
