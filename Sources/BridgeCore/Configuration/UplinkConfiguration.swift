/// The broker, and how its QUIC connections are made.
package struct UplinkConfiguration: Sendable, Equatable {
    /// Where the broker is, the preferred first. Never empty.
    package var endpoints: [UplinkEndpoint]
    /// MQTT over TLS over TCP, for networks that block UDP. `nil`: there is none, and no device goes another way.
    package var fallback: UplinkFallback?
    /// Path of a PEM file with the trusted CA certificates.
    package var caFile: String
    /// Paths of a PEM client certificate (chain) and its key, for mutual TLS. Both or neither.
    package var clientCertificateFile: String?
    package var clientKeyFile: String?
    package var mapping: Mapping
    /// Protocol names offered, in this order, instead of those that the mapping implies; `nil`: those.
    package var alpn: [String]?
    /// Devices on one shared connection at most. For the mapping `mux`.
    package var devicesPerConnection: Int
    /// Whom the broker sees. For the mapping `data-stream`, which cannot do without it.
    package var identity: GatewayIdentity?
    package var addressFamily: AddressFamily
    /// From a device's CONNECT to the broker's CONNACK.
    package var connectTimeout: Duration
    /// Between QUIC PINGs on a connection that is otherwise silent; at most 30 s.
    package var keepAlive: Duration
    /// The QUIC idle timeout; a connection for one device with a longer MQTT keepalive gets a longer one.
    package var idleTimeout: Duration
    package var congestionControl: CongestionControl
    /// After a failed connection attempt the next waits a random time up to a cap that grows from `backoffMinimum`
    /// to `backoffMaximum` (full jitter), for all devices together.
    package var backoffMinimum: Duration
    package var backoffMaximum: Duration
    /// Devices that are let at the broker each second after it could not be reached, or a shared connection was lost.
    package var reconnectsPerSecond: Int
    /// How long what was sent may go unanswered after an address change, or when the server still answers others, before
    /// a connection counts as dead. `nil`: three probe timeouts (RFC 9002 6.2), and at least 1 s.
    package var pathTimeout: Duration?
    /// What becomes of a device whose uplink leg the network took.
    package var onLoss: LossPolicy
    package var hold: HoldConfiguration
    /// What is sent in a first flight that an attacker could send again.
    package var zeroRTT: ZeroRTT
    /// Connections whose handshake is finished ahead of time, for devices to come; 0 to 100, for the whole process. Where
    /// devices share connections, one for each event loop with a share.
    package var warm: Int
    /// Path of the file that keeps session tickets over restarts; `nil`: they are kept in memory only.
    package var ticketFile: String?
    /// NSS key log for Wireshark. Whoever has it reads all traffic.
    package var tlsKeyLogFile: String?
    /// Folder that gets one qlog file a connection.
    package var qlogDirectory: String?

    package enum Mapping: String, Sendable, CaseIterable {
        /// `mux` or `connection`, as the server chooses.
        case auto
        /// One QUIC connection and one stream a device.
        case connection
        /// One stream a device, in connections that devices share, each with a CONNECT of its own.
        case mux
        /// One data stream a device, in MQTT sessions of the gateway's own (EMQX).
        case dataStream = "data-stream"

        /// What is offered to the server, the preferred first.
        package var alpn: [String] {
            switch self {
            case .auto: [Self.muxProtocol, Self.singleStreamProtocol]
            case .mux: [Self.muxProtocol]
            case .connection, .dataStream: [Self.singleStreamProtocol]
            }
        }

        /// The OASIS note's single stream mode; EMQX's data streams are an extension of it.
        package static let singleStreamProtocol = "mqtt"
        /// Any number of streams, each with an MQTT session of its own.
        package static let muxProtocol = "mqtt-mux"
    }

    package enum LossPolicy: String, Sendable, CaseIterable {
        /// The device keeps its connection, and the leg is rebuilt behind its back.
        case hold
        /// The device's connection is closed.
        case close
    }

    package enum ZeroRTT: String, Sendable, CaseIterable {
        case off
        /// The device's CONNECT, and nothing else. For servers with a protection against replays, such as `serve`.
        case connect
    }

    package enum AddressFamily: String, Sendable, CaseIterable {
        case any, ipv4, ipv6
    }

    package enum CongestionControl: String, Sendable, CaseIterable {
        case cubic, bbr
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
        congestionControl: CongestionControl = .cubic,
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
    /// The preferred endpoint's.
    package var host: String {
        get { endpoints[0].host }
        set { endpoints[0].host = newValue }
    }

    package var port: Int {
        get { endpoints[0].port }
        set { endpoints[0].port = newValue }
    }

    package var serverName: String? {
        get { endpoints[0].serverName }
        set { endpoints[0].serverName = newValue }
    }
}
