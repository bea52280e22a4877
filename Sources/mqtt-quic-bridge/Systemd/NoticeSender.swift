import BridgeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Sends messages to the service manager.
struct NoticeSender: Sendable {
    private let address: NotifySocket
    private let descriptor: CInt

    /// How often a message is tried again while the service manager's queue is full, and how long to wait in between.
    private static let attempts = 20
    private static let pause = Duration.milliseconds(50)

    /// Throws if the system has no such socket. The descriptor stays open for as long as the program runs.
    init(_ address: NotifySocket) throws(SupervisionError) {
        self.address = address
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw SupervisionError("the service manager cannot be told: \(String(cString: strerror(errno)))")
        }
    }

    /// Returns why the message could not be sent; `nil` if it was.
    func send(_ notice: ServiceNotice) async -> String? {
        for _ in 0..<Self.attempts {
            switch trySending(notice.datagram) {
            case 0: return nil
            case EAGAIN, ENOBUFS, EINTR: try? await Task.sleep(for: Self.pause)
            case let code: return String(cString: strerror(code))
            }
        }
        return "the queue of the service manager is full"
    }

    /// Returns 0, or the system's error.
    private func trySending(_ datagram: [UInt8]) -> CInt {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        // NotifySocket has checked that the path fits.
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address.path.prefix($0.count)) }
        let isAbstract = address.path.first == 0
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
        let length = socklen_t(offset + address.path.count + (isAbstract ? 0 : 1))
        let sent = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, datagram, datagram.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0,
                    length)
            }
        }
        return sent < 0 ? errno : 0
    }
}
