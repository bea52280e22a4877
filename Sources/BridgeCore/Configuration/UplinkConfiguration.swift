/// How to reach the broker, and how to make connections to it.
package struct UplinkConfiguration: Sendable, Equatable {
    /// The endpoints of the broker, with the preferred one first. This is never empty.
    package var endpoints: [UplinkEndpoint]
    /// The broker over TLS over TCP, for networks that block UDP; `nil` if devices only use QUIC.
    package var fallback: UplinkFallback?
    /// The path of a PEM file with the trusted CA certificates.
    package var caFile: String
    /// The path of a PEM file with a client certificate (chain) for mutual TLS. It needs `clientKeyFile`.
    package var clientCertificateFile: String?
    /// The path of a PEM file with the private key of the client certificate.
    package var clientKeyFile: String?
    /// How sessions are laid onto QUIC connections.
    package var mapping: Mapping
    /// The protocol names to offer, with the preferred one first; `nil` for those of the mapping.
    package var alpn: [String]?
    /// The largest number of devices on one shared connection, for the mapping `mux`.
    package var devicesPerConnection: Int
    /// The identity of the gateway, which the mapping `data-stream` requires.
    package var identity: GatewayIdentity?
    /// Which of the addresses of a host name are used.
    package var addressFamily: AddressFamily
    /// The time from a device's CONNECT to the broker's CONNACK.
    package var connectTimeout: Duration
    /// The interval of QUIC PINGs on a connection without other traffic, at most 30 s.
    package var keepAlive: Duration
    /// The QUIC idle timeout. A connection for one device with a longer MQTT keepalive has a longer one.
    package var idleTimeout: Duration
    package var congestionControl: CongestionControl
    package var sendTwice: SendTwice
    /// After a failed connection attempt, the next one waits for a random time. Its limit grows from `backoffMinimum` to
    /// `backoffMaximum` (full jitter), for all devices together.
    package var backoffMinimum: Duration
    /// The highest limit of the random wait after a failed attempt.
    package var backoffMaximum: Duration
    /// The number of devices per second that may connect to the broker after it was unreachable or a shared connection
    /// was lost.
    package var reconnectsPerSecond: Int
    /// How long sent data may remain unacknowledged before a connection counts as dead, if an address of this machine has
    /// changed or the server still answers on other connections. `nil` stands for three probe timeouts (RFC 9002 6.2),
    /// and at least 1 s.
    package var pathTimeout: Duration?
    /// What happens to a device whose uplink leg was lost to the network.
    package var onLoss: LossPolicy
    /// How devices are held, if `onLoss` is `hold`.
    package var hold: HoldConfiguration
    /// What is sent as early data, which an attacker could replay.
    package var zeroRTT: ZeroRTT
    /// How many connections have their handshakes finished ahead of time, from 0 to 100, for the whole process. If devices
    /// share connections, there is one for each event loop that has a part of this number.
    package var warm: Int
    /// The path of the file that keeps session tickets over restarts; `nil` if they are kept in memory only.
    package var ticketFile: String?
    /// The path of an NSS key log for Wireshark. With it, all traffic can be read.
    package var tlsKeyLogFile: String?
    /// The folder in which one qlog file per connection is written.
    package var qlogDirectory: String?

    /// How sessions are laid onto QUIC connections.
    package enum Mapping: String, Sendable, CaseIterable {
        /// The server chooses `mux` or `connection`.
        case auto
        /// There is one QUIC connection with one stream per device.
        case connection
        /// Devices share connections, with one stream and one CONNECT per device.
        case mux
        /// Devices share connections, with one data stream per device in an MQTT session of the gateway (EMQX).
        case dataStream = "data-stream"

        /// The protocol names that are offered to the server, with the preferred one first.
        package var alpn: [String] {
            switch self {
            case .auto: [Self.muxProtocol, Self.singleStreamProtocol]
            case .mux: [Self.muxProtocol]
            case .connection, .dataStream: [Self.singleStreamProtocol]
            }
        }

        /// The single stream mode of the OASIS note, which EMQX extends by data streams.
        package static let singleStreamProtocol = "mqtt"
        /// The protocol of this program's `serve`: any number of streams, each with its own MQTT session.
        package static let muxProtocol = "mqtt-mux"
    }

    /// What happens to a device when its uplink leg is lost.
    package enum LossPolicy: String, Sendable, CaseIterable {
        /// The device keeps its connection while the uplink leg is being rebuilt.
        case hold
        /// The device's connection is closed.
        case close
    }

    /// What a resumed connection sends before its handshake completes (RFC 9001 4.6).
    package enum ZeroRTT: String, Sendable, CaseIterable {
        case off
        /// Only the device's CONNECT is sent. This is for servers with a protection against replays, such as `serve`.
        case connect
    }

    /// Which of the addresses of a host name are used.
    package enum AddressFamily: String, Sendable, CaseIterable {
        case any, ipv4, ipv6
    }

    package init(
        host: String,
        port: Int = 14567,
        serverName: String? = nil,
        fallback: UplinkFallback? = nil,
        caFile: String,
        clientCertificateFile: String? = nil,
        clientKeyFile: String? = nil,
        mapping: Mapping = .auto,
        alpn: [String]? = nil,
        devicesPerConnection: Int = 1_000,
        identity: GatewayIdentity? = nil,
        addressFamily: AddressFamily = .any,
        connectTimeout: Duration = .seconds(5),
        keepAlive: Duration = .seconds(25),
        idleTimeout: Duration = .seconds(60),
        congestionControl: CongestionControl = .bbr,
        sendTwice: SendTwice = .retransmissions,
        backoffMinimum: Duration = .seconds(1),
        backoffMaximum: Duration = .seconds(60),
        reconnectsPerSecond: Int = 500,
        pathTimeout: Duration? = nil,
        onLoss: LossPolicy = .hold,
        hold: HoldConfiguration = HoldConfiguration(),
        zeroRTT: ZeroRTT = .off,
        warm: Int = 2,
        ticketFile: String? = nil,
        tlsKeyLogFile: String? = nil,
        qlogDirectory: String? = nil
    ) {
        self.endpoints = [UplinkEndpoint(host: host, port: port, serverName: serverName)]
        self.fallback = fallback
        self.caFile = caFile
        self.clientCertificateFile = clientCertificateFile
        self.clientKeyFile = clientKeyFile
        self.mapping = mapping
        self.alpn = alpn
        self.devicesPerConnection = devicesPerConnection
        self.identity = identity
        self.addressFamily = addressFamily
        self.connectTimeout = connectTimeout
        self.keepAlive = keepAlive
        self.idleTimeout = idleTimeout
        self.congestionControl = congestionControl
        self.sendTwice = sendTwice
        self.backoffMinimum = backoffMinimum
        self.backoffMaximum = backoffMaximum
        self.reconnectsPerSecond = reconnectsPerSecond
        self.pathTimeout = pathTimeout
        self.onLoss = onLoss
        self.hold = hold
        self.zeroRTT = zeroRTT
        self.warm = warm
        self.ticketFile = ticketFile
        self.tlsKeyLogFile = tlsKeyLogFile
        self.qlogDirectory = qlogDirectory
    }
}

extension UplinkConfiguration {
    /// The host of the preferred endpoint.
    package var host: String {
        get { endpoints[0].host }
        set { endpoints[0].host = newValue }
    }

    /// The port of the preferred endpoint.
    package var port: Int {
        get { endpoints[0].port }
        set { endpoints[0].port = newValue }
    }

    /// The configured certificate name of the preferred endpoint.
    package var serverName: String? {
        get { endpoints[0].serverName }
        set { endpoints[0].serverName = newValue }
    }
}
