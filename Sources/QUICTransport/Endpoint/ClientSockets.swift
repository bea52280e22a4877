import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a client's endpoint knows of its sockets: the present one is its own, here are those before.
///
/// All are bound to the wildcard address and a port of the kernel's choice, so that the kernel's routes are followed. To
/// tell ngtcp2 that a connection is to move, the ends of its two paths have to differ: each socket has a label, the
/// wildcard address with a number for its port.
struct ClientSockets {
    /// Beside the present one. The oldest makes room, of those that nobody uses if there are such.
    static let oldCapacity = 4
    /// Peers whose source address is remembered.
    static let sourceCapacity = 16

    private(set) var old: [EndpointSocket] = []
    /// Labels that connections still go by although their socket is closed: they use the present one.
    private(set) var retired: Set<SocketAddress> = []
    private var generation: UInt16 = 0
    /// The address that the kernel sends from, for each peer; nil where there is no route.
    private var sources: [SocketAddress: SocketAddress] = [:]
    var move: Move?
    var isLookScheduled = false

    /// Connections that are on their way to the present socket.
    struct Move {
        /// Nil until the socket is open.
        var moved: Int?
        /// Whoever wants to know how many move.
        var promises: [EventLoopPromise<Int>]
        /// Connections that could not be moved are tried again so often.
        var retriesLeft = 3
    }

    /// Connections may use several sockets.
    var areSeveral: Bool { !old.isEmpty || !retired.isEmpty }

    /// What the connection, nil for none, is told as the local end of a datagram.
    func local(of handle: QUICConnectionHandle?, receivedOn receiver: EndpointSocket) -> SocketAddress? {
        guard areSeveral, let handle else { return nil }
        let present = handle.connection.localAddress
        return retired.contains(present) && handle.target != receiver.label ? present : receiver.label
    }

    mutating func nextLabel(_ wildcard: SocketAddress) -> SocketAddress {
        generation &+= 1
        var label = wildcard
        label.port = Int(generation)
        return label
    }

    /// Another takes its place.
    mutating func retire(_ socket: EndpointSocket) {
        socket.replacedAt = .now()
        old.append(socket)
    }

    /// The one that has to go, where there are too many.
    func surplus(besides used: Set<SocketAddress>) -> EndpointSocket? {
        guard old.count > Self.oldCapacity else { return nil }
        return old.first { !used.contains($0.label) } ?? old.first
    }

    /// - Parameter isInUse: Whether a connection goes by its label.
    mutating func remove(_ socket: EndpointSocket, isInUse: Bool) {
        old.removeAll { $0 === socket }
        if isInUse { retired.insert(socket.label) }
    }

    /// Lets go of labels that nobody goes by any more.
    mutating func keepRetired(_ used: Set<SocketAddress>) {
        retired.formIntersection(used)
    }

    // MARK: Source addresses

    mutating func noteSource(to remote: SocketAddress) {
        guard sources[remote] == nil, sources.count < Self.sourceCapacity else { return }
        sources[remote] = Self.source(to: remote)
    }

    /// The peers that are reached from another address now. Those without a route keep the one they had.
    mutating func updateSources(to remotes: Set<SocketAddress>) -> [(from: SocketAddress?, to: SocketAddress)] {
        sources = sources.filter { remotes.contains($0.key) }
        return remotes.prefix(Self.sourceCapacity).compactMap { remote in
            guard let source = Self.source(to: remote) else { return nil }
            guard let previous = sources.updateValue(source, forKey: remote), previous != source else { return nil }
            return (previous, source)
        }
    }

    /// Connecting a UDP socket sends nothing: it looks the route up. Nil where there is none.
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
