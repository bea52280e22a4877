import Logging
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The UDP socket of an endpoint. It is opened when it is needed, and again if the system has closed it.
///
/// SwiftNIO's channel reads from it. What is sent goes to the system directly, unless that takes no more now.
///
/// ```
///   none ── open() ──▶ opening ── bound ──▶ open ── closed by the system ──▶ paused ── 50 to 250 ms ──▶ opening
///                        └── failed: a listener gives up the first time; otherwise ──▶ paused
///   any ── close() ──▶ closed
/// ```
final class EndpointSocket {
    private enum State {
        case none
        case opening
        case open(any Channel)
        case paused
        case closed
    }

    private static let shortestPause = TimeAmount.milliseconds(50)
    /// Short, because a socket costs little and a client whose network is back must not wait for one.
    private static let longestPause = TimeAmount.milliseconds(250)

    private let eventLoop: any EventLoop
    private let isListener: Bool
    private var options: DatagramSocket.Options
    /// Whether the socket receives at several addresses of this machine: it listens on a wildcard address. What it
    /// sends has to leave from the address that the peer uses, which need not be the one that the kernel's route
    /// prefers.
    let hasManyAddresses: Bool
    private var arrivals = ArrivalAddresses()
    /// What has an address of its own to leave from, and the system did not take yet. SwiftNIO cannot set that address,
    /// so this does not wait in the channel. At most what one connection may send in its turn.
    private(set) var held: [DatagramBatch.Parcel] = []
    private let logger: Logger
    /// The address that the socket is bound to. When a listener has to be opened again, it keeps its port.
    private(set) var address: SocketAddress
    /// Tells a client's sockets apart, as the local address of a connection's path (see ``QUICEndpoint/localAddress``).
    let label: SocketAddress
    /// When another socket took this one's place.
    var replacedAt: NIODeadline?
    private var state = State.none
    private var pause = EndpointSocket.shortestPause
    private var whenListening: EventLoopPromise<SocketAddress>?
    /// The channel's socket under a number of our own, because SwiftNIO may close its number at any time; -1 if there
    /// is none.
    private(set) var descriptor: CInt = -1
    /// How many writes wait in the channel.
    var waitingWrites = 0
    /// Whether the log already says that the system closed the socket.
    private var isClosureKnown = false
    private var refusals = RefusalNotices()
    /// The owner.
    weak var endpoint: QUICEndpoint?

    /// - Parameter options: For a listener; `nil` for a client.
    init(
        eventLoop: any EventLoop, address: SocketAddress, label: SocketAddress? = nil,
        listening options: DatagramSocket.Options?, logger: Logger
    ) {
        self.label = label ?? address
        self.eventLoop = eventLoop
        self.address = address
        self.isListener = options != nil
        self.hasManyAddresses = options != nil && address.isWildcard
        self.options = options ?? DatagramSocket.Options()
        self.options.tellsDestinations = hasManyAddresses
        var logger = logger
        logger[metadataKey: "leg"] = options != nil ? "client" : "uplink"
        self.logger = logger
    }

    deinit {
        closeDescriptor()
    }

    var channel: (any Channel)? {
        if case .open(let channel) = state { channel } else { nil }
    }

    /// Whether datagrams can be sent, or wait for their turn in the channel.
    var isWritable: Bool {
        guard held.isEmpty else { return false }
        guard descriptor < 0 || waitingWrites > 0 else { return true }
        return channel?.isWritable ?? false
    }

    /// The address of this machine, with this socket's port, that a datagram came to. `nil` if nothing can be sent from
    /// there.
    func local(of arrival: NIOPacketInfo?) -> SocketAddress? {
        guard hasManyAddresses, let arrival else { return address }
        return arrivals.local(of: arrival, port: address.port ?? 0)
    }

    /// Keeps what the system does not take now.
    /// - Returns: Whether it is the first, so that the caller has to see to it that it is tried again.
    func hold(_ parcel: DatagramBatch.Parcel) -> Bool {
        held.append(parcel)
        return held.count == 1
    }

    func takeHeld() -> [DatagramBatch.Parcel] {
        defer { held = [] }
        return held
    }

    /// Something was received, so the network works.
    func received() {
        isClosureKnown = false
    }

    func listen() -> EventLoopFuture<SocketAddress> {
        let promise = eventLoop.makePromise(of: SocketAddress.self)
        whenListening = promise
        open()
        return promise.futureResult
    }

    func open() {
        guard case .none = state, let endpoint else { return }
        state = .opening
        let bound = (NIOLoopBound(endpoint, eventLoop: eventLoop), NIOLoopBound(self, eventLoop: eventLoop))
        DatagramSocket.open(address, options, on: eventLoop) { DatagramHandler(endpoint: bound.0, socket: bound.1) }
            .assumeIsolated()
            .whenComplete { [weak self] result in
                self?.opened(result)
            }
    }

    func close() {
        let channel = channel
        state = .closed
        held = []
        closeDescriptor()
        channel?.close(promise: nil)
        whenListening?.fail(ChannelError.alreadyClosed)
        whenListening = nil
    }

    private func opened(_ result: Result<any Channel, any Error>) {
        guard case .opening = state else {
            // The socket was closed while it was being opened.
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .success(let channel):
            state = .open(channel)
            descriptor = DatagramSocket.duplicate(channel)
            pause = Self.shortestPause
            if isListener, let bound = channel.localAddress { address = bound }
            steer(channel, isFirst: whenListening != nil)
            whenListening?.succeed(address)
            whenListening = nil
            endpoint?.socketOpened(self)
        case .failure(let error):
            if let promise = whenListening {
                whenListening = nil
                state = .closed
                return promise.fail(error)
            }
            logger.warning(
                "UDP socket could not be opened; trying again",
                metadata: ["error": "\(error)", "address": "\(address.hostAndPort)"])
            openLater()
        }
    }

    /// The sockets of other loops share this one's address. When one of them is opened again, their order is another.
    private func steer(_ channel: any Channel, isFirst: Bool) {
        guard let steering = options.steering else { return }
        (isFirst ? steering.begin(at: channel) : LoopSteering.end(at: channel)).whenFailure { [logger] error in
            logger.debug(
                "the kernel does not choose the event loop by the connection ID", metadata: ["error": "\(error)"])
        }
    }

    /// The system does not take a datagram; see ``SendOutcome``.
    func refused(_ error: CInt) {
        guard error != EMSGSIZE else { return }
        logger.log(
            level: refusals.isDue(at: .now()) ? .info : .debug, "the system does not send datagrams",
            metadata: ["address": "\(address.hostAndPort)", "error": "\(String(cString: strerror(error)))"])
    }

    func failed(_ error: any Error) {
        // ICMP errors and a full interface queue only cost datagrams, and QUIC sends their contents again.
        logger.debug("UDP socket error", metadata: ["error": "\(error)"])
    }

    /// SwiftNIO closed the socket because of an error. The connections continue: the next socket of a client has another
    /// port, which looks like a NAT rebinding to the peer (RFC 9000 9).
    func closedBySystem(_ error: String?) {
        guard case .open = state else { return }
        logger.log(
            level: isClosureKnown ? .debug : .info, "UDP socket was closed by the system; opening it again",
            metadata: ["address": "\(address.hostAndPort)", "error": "\(error ?? "unknown")"])
        isClosureKnown = true
        closeDescriptor()
        openLater()
    }

    private func closeDescriptor() {
        if descriptor >= 0 { DatagramSocket.close(descriptor) }
        descriptor = -1
    }

    /// There may be a network again, so the pause ends.
    func openNow() {
        guard case .paused = state else { return }
        pause = Self.shortestPause
        state = .none
        open()
    }

    private func openLater() {
        state = .paused
        let delay = pause
        pause = min(pause * 2, Self.longestPause)
        Timer.once(in: delay, on: eventLoop) { [weak self] in
            guard let self, case .paused = self.state else { return }
            self.state = .none
            if self.endpoint?.needsSocket == true { self.open() }
        }
    }
}
