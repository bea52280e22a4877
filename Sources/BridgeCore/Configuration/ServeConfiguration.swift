/// Everything an operator decides about `serve`: MQTT over QUIC in front of a broker that speaks TCP only.
package struct ServeConfiguration: Sendable, Equatable {
    /// UDP addresses, in the order of the file. Never empty.
    package var listen: [ListenAddress]
    /// Paths of the PEM certificate chain and its key. Read again when they change, and on SIGHUP.
    package var certificateFile: String
    package var keyFile: String
    /// Where given, clients have to show a certificate that leads to a CA in this PEM file.
    package var clientCAFile: String?
    /// The broker, by plain TCP.
    package var brokerHost: String
    package var brokerPort: Int
    /// For one TCP connection to the broker.
    package var brokerConnectTimeout: Duration
    /// Whether each TCP connection begins with a PROXY protocol v2 header that tells the broker the client's address.
    package var sendsProxyHeader: Bool
    package var retry: Retry
    /// With `retry` `auto`: new connections a second, from all addresses, above which clients have to prove theirs.
    package var retryAbove: Int
    /// Whether returning clients may send data with their first datagram (RFC 9001 4.6). Replays are refused.
    package var acceptsEarlyData: Bool
    /// Keys of the session tickets; made where it does not exist. `nil`: clients start afresh after a restart.
    package var ticketKeyFile: String?
    package var limits: Limits
    /// `max_idle_timeout` (RFC 9000 10.1).
    package var idleTimeout: Duration
    package var log: LogConfiguration
    package var threads: Int

    /// RFC 9000 8.1.2.
    package enum Retry: String, Sendable, CaseIterable {
        /// Above `retryAbove` new connections a second.
        case auto
        case always
        case never
    }

    /// Whoever is over one is refused; nobody else notices.
    package struct Limits: Sendable, Equatable {
        /// QUIC connections at once.
        package var connections: Int
        /// QUIC connections at once from one IP address.
        package var connectionsPerAddress: Int
        /// Streams at once on a connection of `mqtt-mux`.
        package var streamsPerConnection: Int
        /// New connections a second; a burst of one second's worth is let through.
        package var handshakesPerSecond: Int
        /// From a stream's first byte, or with `mqtt` from the end of the handshake where there is no stream, to a
        /// whole CONNECT. A connection of `mqtt-mux` may be without streams.
        package var connectWithin: Duration
        /// Bytes that one stream may hold in each direction before the other side has to wait.
        package var streamBuffer: Int
        /// Time to end all sessions in order after SIGTERM.
        package var shutdownTimeout: Duration

        package init(
            connections: Int = 10_000,
            connectionsPerAddress: Int = 10_000,
            streamsPerConnection: Int = 1_000,
            handshakesPerSecond: Int = 1_000,
            connectWithin: Duration = .seconds(5),
            streamBuffer: Int = 262_144,
            shutdownTimeout: Duration = .seconds(5)
        ) {
            self.connections = connections
            self.connectionsPerAddress = connectionsPerAddress
            self.streamsPerConnection = streamsPerConnection
            self.handshakesPerSecond = handshakesPerSecond
            self.connectWithin = connectWithin
            self.streamBuffer = streamBuffer
            self.shutdownTimeout = shutdownTimeout
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
        limits: Limits = Limits(),
        idleTimeout: Duration = .seconds(120),
        log: LogConfiguration = LogConfiguration(),
        threads: Int = 1
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
        self.limits = limits
        self.idleTimeout = idleTimeout
        self.log = log
        self.threads = threads
    }
}
