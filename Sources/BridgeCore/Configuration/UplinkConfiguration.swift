/// The broker, and how its QUIC connections are made.
package struct UplinkConfiguration: Sendable, Equatable {
    /// Host name or IP address of the broker.
    package var host: String
    /// UDP port.
    package var port: Int
    /// The name that the server's certificate has to carry, and the SNI sent; `nil` means `host`.
    package var serverName: String?
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
        backoffMinimum: Duration = .milliseconds(500),
        backoffMaximum: Duration = .seconds(10),
        reconnectsPerSecond: Int = 500,
        tlsKeyLogFile: String? = nil,
        qlogDirectory: String? = nil
    ) {
        self.host = host
        self.port = port
        self.serverName = serverName
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
        self.tlsKeyLogFile = tlsKeyLogFile
        self.qlogDirectory = qlogDirectory
    }
}
