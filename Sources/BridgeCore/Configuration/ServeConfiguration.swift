/// All settings of `serve`, which offers MQTT over QUIC in front of a broker that only speaks TCP.
package struct ServeConfiguration: Sendable, Equatable {
    /// The UDP addresses, in the order of the file. This is never empty.
    package var listen: [ListenAddress]
    /// The path of the PEM file with the certificate chain. It is read again when it changes, and on SIGHUP.
    package var certificateFile: String
    /// The path of the PEM file with the private key. It is read again when it changes, and on SIGHUP.
    package var keyFile: String
    /// The path of a PEM file with CA certificates. If it is set, clients have to show a certificate of such a CA.
    package var clientCAFile: String?
    /// The host of the broker, which is reached over plain TCP.
    package var brokerHost: String
    /// The broker's TCP port.
    package var brokerPort: Int
    /// The time limit for making one TCP connection to the broker.
    package var brokerConnectTimeout: Duration
    /// Whether each TCP connection begins with a PROXY protocol v2 header that tells the broker the client's address.
    package var sendsProxyHeader: Bool
    /// When clients have to prove their address.
    package var retry: Retry
    /// The number of new connections per second, from all addresses, above which clients have to prove their address if
    /// `retry` is `auto`.
    package var retryAbove: Int
    /// Whether returning clients may send data with their first datagram (RFC 9001 4.6). Replays are refused.
    package var acceptsEarlyData: Bool
    /// The path of the file with the keys of the session tickets, which is created if it does not exist. If it is `nil`,
    /// no client can resume its TLS session after a restart.
    package var ticketKeyFile: String?
    /// What the connection IDs contain so that a load balancer finds this server (QUIC-LB): 1 to 8 bytes, empty without.
    package var serverID: [UInt8]
    package var limits: Limits
    /// The `max_idle_timeout` of QUIC (RFC 9000 10.1).
    package var idleTimeout: Duration
    package var congestionControl: CongestionControl
    package var sendTwice: SendTwice
    package var log: LogConfiguration
    package var admin: AdminConfiguration
    /// The number of threads with an event loop.
    package var threads: Int
    /// See ``BridgeConfiguration/gatherDelay``.
    package var gatherDelay: Duration

    /// When clients have to prove their address with a Retry (RFC 9000 8.1.2).
    package enum Retry: String, Sendable, CaseIterable {
        /// Clients have to prove it above `retryAbove` new connections per second.
        case auto
        case always
        case never
    }

    /// Limits on the resources of clients. A client beyond a limit is refused, and the other clients are not affected.
    package struct Limits: Sendable, Equatable {
        /// The number of QUIC connections at the same time.
        package var connections: Int
        /// The number of QUIC connections at the same time from one IP address.
        package var connectionsPerAddress: Int
        /// The number of streams at the same time on a connection of `mqtt-mux`.
        package var streamsPerConnection: Int
        /// The number of new connections per second, with bursts of up to that number.
        package var handshakesPerSecond: Int
        /// The time from a stream's first byte to a whole CONNECT. With `mqtt` it also limits the time from the handshake
        /// to the first stream. A connection of `mqtt-mux` may remain without streams.
        package var connectWithin: Duration
        /// The number of bytes that one stream may hold in each direction before the other side has to wait.
        package var streamBuffer: Int
        /// The number of bytes that the broker may have taken before the client is told, so that it may send as many
        /// again. Telling it of each packet would cost more than the packet, and this is a small part of what it may send.
        package var creditStep: Int { Self.creditStep(ofBuffer: streamBuffer) }

        /// The ``creditStep`` of a stream with a buffer of that many bytes.
        package static func creditStep(ofBuffer size: Int) -> Int { min(size / 32, 8_192) }

        /// The time to end all sessions in order after SIGTERM.
        package var shutdownTimeout: Duration
        /// How long a drain takes at most: then the program ends although devices are left.
        package var drainTimeout: Duration

        package init(
            connections: Int = 10_000,
            connectionsPerAddress: Int = 10_000,
            streamsPerConnection: Int = 1_000,
            handshakesPerSecond: Int = 1_000,
            connectWithin: Duration = .seconds(5),
            streamBuffer: Int = 262_144,
            shutdownTimeout: Duration = .seconds(5),
            drainTimeout: Duration = .seconds(300)
        ) {
            self.connections = connections
            self.connectionsPerAddress = connectionsPerAddress
            self.streamsPerConnection = streamsPerConnection
            self.handshakesPerSecond = handshakesPerSecond
            self.connectWithin = connectWithin
            self.streamBuffer = streamBuffer
            self.shutdownTimeout = shutdownTimeout
            self.drainTimeout = drainTimeout
        }
    }

    package init(
        listen: [ListenAddress] = [ListenAddress(host: "0.0.0.0", port: 14567)],
        certificateFile: String,
        keyFile: String,
        clientCAFile: String? = nil,
        brokerHost: String,
        brokerPort: Int = 1883,
        brokerConnectTimeout: Duration = .seconds(5),
        sendsProxyHeader: Bool = false,
        retry: Retry = .auto,
        retryAbove: Int = 200,
        acceptsEarlyData: Bool = true,
        ticketKeyFile: String? = nil,
        serverID: [UInt8] = [],
        limits: Limits = Limits(),
        idleTimeout: Duration = .seconds(120),
        congestionControl: CongestionControl = .bbr,
        sendTwice: SendTwice = .retransmissions,
        log: LogConfiguration = LogConfiguration(),
        admin: AdminConfiguration = AdminConfiguration(),
        threads: Int = 1,
        gatherDelay: Duration = .zero
    ) {
        self.listen = listen
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.clientCAFile = clientCAFile
        self.brokerHost = brokerHost
        self.brokerPort = brokerPort
        self.brokerConnectTimeout = brokerConnectTimeout
        self.sendsProxyHeader = sendsProxyHeader
        self.retry = retry
        self.retryAbove = retryAbove
        self.acceptsEarlyData = acceptsEarlyData
        self.ticketKeyFile = ticketKeyFile
        self.serverID = serverID
        self.limits = limits
        self.idleTimeout = idleTimeout
        self.congestionControl = congestionControl
        self.sendTwice = sendTwice
        self.log = log
        self.admin = admin
        self.threads = threads
        self.gatherDelay = gatherDelay
    }
}
