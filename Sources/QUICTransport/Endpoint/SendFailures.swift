import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the kernel's refusals to send have taught an endpoint.
final class SendFailures {
    /// The peer of the last datagram that the kernel refused, and the reason; `nil` if that peer has been heard since.
    private var last: (remote: SocketAddress, reason: String)?
    /// Whether several datagrams may go out by one write (UDP GSO).
    private(set) var usesSegmentation: Bool

    init(supportsSegmentation: Bool) {
        usesSegmentation = supportsSegmentation
    }

    func received(from remote: SocketAddress) {
        if let last, last.remote == remote { self.last = nil }
    }

    /// - Parameter error: The error number.
    func failed(_ error: CInt, to remote: SocketAddress) {
        // A probe of path MTU discovery that the interface itself does not take says nothing about the path.
        guard error != EMSGSIZE else { return }
        last = (remote, String(cString: strerror(error)))
    }

    /// The reason for the last refusal, for any peer.
    var lastReason: String? { last?.reason }

    /// Why nothing reaches the peer, as far as the kernel has said.
    /// - Parameter remote: Its address and port, as in errors.
    func reason(for remote: String) -> String? {
        last.flatMap { $0.remote.hostAndPort == remote ? $0.reason : nil }
    }

    /// Whether the system may have refused several datagrams because they came by one write. It says the same of other
    /// mistakes, such as segments that are too large for the interface.
    static func mayBeSegmentation(_ error: CInt) -> Bool {
        [EIO, EINVAL, EOPNOTSUPP, EMSGSIZE].contains(error)
    }

    /// An interface that cannot segment (no checksum offload) takes the same datagrams one by one: from now on, each is
    /// a write of its own.
    func segmentationFailed() {
        usesSegmentation = false
    }
}
