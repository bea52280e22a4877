import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The previous sockets of a client's endpoint, which has the current one itself, and the moves between them.
///
/// All sockets are bound to the wildcard address and a port of the kernel's choice, so that the kernel's routes are
/// followed. ngtcp2 moves a connection only to a path with a different address, so each socket has a label: the
/// wildcard address with a sequence number as its port.
final class ClientSockets {
    /// How many previous sockets are kept. The oldest unused one makes room for another, or the oldest if all are used.
    static let oldCapacity = 4
    /// How many peers' source addresses are remembered.
    static let sourceCapacity = 16

    private(set) var old: [EndpointSocket] = []
    private var generation: UInt16 = 0
    /// The address that the kernel sends from, per peer.
    private(set) var sources: [SocketAddress: SocketAddress] = [:]
    var move: Move?
    var isCheckScheduled = false

    /// Connections are moving to the current socket.
    struct Move {
        /// How many connections have begun to move; `nil` until the socket is open.
        var moved: Int?
        /// They are told how many connections move.
        var promises: [EventLoopPromise<Int>]
        /// How often connections that could not be moved are tried again.
        var retriesLeft = 3
    }

    /// Whether connections may have the label of another socket than the current one. That one may be closed.
    private(set) var areSeveral = false

    /// Whether there is something to look after: sockets that nobody may need any more, or connections that have not moved.
    var needCheck: Bool {
        !old.isEmpty || move.map { $0.moved != nil && $0.retriesLeft > 0 } ?? false
    }

    /// What a connection is told as the local address of a datagram; `nil` if there is no need to distinguish sockets.
    ///
    /// ngtcp2 drops what comes on a path that it does not know. A connection whose own socket is closed uses the current
    /// one without knowing it, so it is told that the datagram came on its own path.
    func local(
        of handle: QUICConnectionHandle?, receivedOn receiver: EndpointSocket, current: EndpointSocket
    ) -> SocketAddress? {
        guard areSeveral, let handle else { return nil }
        let (connection, label) = (handle.connection, receiver.label)
        // Mostly so, and this costs no more than the comparison.
        guard connection.localAddress != label else { return label }
        let inUse = connection.localAddressInUse
        let isOpen = inUse == current.label || old.contains { $0.label == inUse }
        let isMovingThere = connection.isMigrating && handle.target == label
        return isOpen || isMovingThere ? label : inUse
    }

    func nextLabel(_ wildcard: SocketAddress) -> SocketAddress {
        generation &+= 1
        var label = wildcard
        label.port = Int(generation)
        return label
    }

    /// Another socket takes this one's place.
    func retire(_ socket: EndpointSocket) {
        socket.replacedAt = .now()
        old.append(socket)
        areSeveral = true
    }

    /// The socket that has to go; `nil` if there are not too many.
    func surplus(besides used: Set<SocketAddress>) -> EndpointSocket? {
        guard old.count > Self.oldCapacity else { return nil }
        return old.first { !used.contains($0.label) } ?? old.first
    }

    func remove(_ socket: EndpointSocket) {
        old.removeAll { $0 === socket }
    }

    // MARK: Source addresses

    func noteSource(to remote: SocketAddress) {
        guard sources[remote] == nil, sources.count < Self.sourceCapacity else { return }
        sources[remote] = Self.source(to: remote)
    }

    /// The peers that are now reached from another address. A peer without a route keeps the previous address.
    func updateSources(to remotes: Set<SocketAddress>) -> [(from: SocketAddress?, to: SocketAddress)] {
        sources = sources.filter { remotes.contains($0.key) }
        return remotes.prefix(Self.sourceCapacity).compactMap { remote in
            guard let source = Self.source(to: remote) else { return nil }
            guard let previous = sources.updateValue(source, forKey: remote), previous != source else { return nil }
            return (previous, source)
        }
    }

    /// The address from which the kernel reaches the peer; `nil` if there is no route. Sends nothing: connecting a UDP
    /// socket only looks up the route.
    static func source(to remote: SocketAddress) -> SocketAddress? {
        guard let family = QUICAddressFamily(remote) else { return nil }
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family == .ipv4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard remote.withSockAddr({ connect(descriptor, $0, socklen_t($1)) }) == 0 else { return nil }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(descriptor, address, &length) == 0 else { return nil }
                var source = SocketAddress(address)
                source?.port = 0
                return source
            }
        }
    }
}
