import NIOCore
import QUICTransport
import TLSTransport

/// What decides how the links of one client are made.
struct LinkSettings: Sendable {
    /// How many bytes the broker may send on a stream before the session has taken any. Over QUIC this grows up to eight
    /// times while the session keeps up.
    static let window = 65_536
    /// The idle timeout of QUIC for clients with a short keepalive, or none.
    private static let idleTimeout = Duration.seconds(120)
    /// How often QUIC sends a PING: "MQTT Over QUIC" asks for 30 s or less.
    private static let quicKeepAlive = Duration.seconds(25)
    /// How much of the connect timeout a link may take. The rest is for CONNACK, and has an attempt that fails say why
    /// before the session's own timer says only that time is up.
    private static let share = 0.9
    /// A longer limit is none.
    private static let longest = Duration.seconds(3_600)
    /// The longest keepalive that MQTT has (MQTT 5 3.1.2.10).
    private static let longestKeepAlive = Duration.seconds(65_535)

    let configuration: MQTTClientConfiguration

    init(_ configuration: MQTTClientConfiguration) {
        self.configuration = configuration
    }

    var rules: LinkPlan.Rules {
        let fallbackHost = configuration.fallback?.host ?? configuration.host
        return LinkPlan.Rules(
            hasFallback: configuration.fallback != nil, isSameHost: fallbackHost == configuration.host,
            handshakeTimeout: min(max(configuration.handshakeTimeout, .milliseconds(100)), Self.longest), budget: budget
        )
    }

    /// How long making a link may take in all.
    var budget: Duration { max(min(configuration.connectTimeout, Self.longest) * Self.share, .milliseconds(100)) }

    func target(_ way: LinkWay) -> LinkTarget {
        switch way {
        case .quic: LinkTarget(host: configuration.host, port: configuration.port, alpn: configuration.alpn)
        case .tls:
            LinkTarget(
                host: configuration.fallback?.host ?? configuration.host, port: configuration.fallback?.port ?? 0,
                alpn: configuration.alpn)
        }
    }

    /// The name that the broker's certificate must have.
    func certificateName(_ way: LinkWay) -> String {
        CertificateName.of(configuration.tls.serverName ?? target(way).host)
    }

    var ticketServer: TicketServer {
        TicketServer(host: configuration.host, port: configuration.port, name: certificateName(.quic))
    }

    /// - Parameter handshakeTimeout: How long one handshake may take.
    func quic(handshakeTimeout: Duration) -> QUICConfiguration {
        var quic = QUICConfiguration(alpn: [configuration.alpn])
        quic.handshakeTimeout = handshakeTimeout
        // MQTT's own keepalive expires first.
        quic.idleTimeout = max(
            Self.idleTimeout, min(configuration.keepAlive, Self.longestKeepAlive) * 3 / 2 + .seconds(10))
        quic.keepAlive = Self.quicKeepAlive
        quic.congestionControl =
            switch configuration.congestionControl {
            case .cubic: .cubic
            case .bbr: .bbr
            }
        // A client that publishes 100 times per second has its answers acknowledged with its next message.
        quic.maxAckDelay = .milliseconds(15)
        // A session that does not read its control stream takes no credit from the data streams.
        quic.setWindows(
            Self.window,
            streams: 1 + min(max(configuration.dataStreams, 0), MQTTClientConfiguration.mostDataStreams))
        return quic
    }

    /// What TLS over TCP needs; `nil` if there is no fallback.
    ///
    /// - Parameter trust: The authorities, which are those of QUIC.
    func tls(trust: LinkTrust) -> TLSClientSettings? {
        guard configuration.fallback != nil else { return nil }
        let target = target(.tls)
        let certificate = configuration.tls.clientCertificate
        return TLSClientSettings(
            host: target.host, port: target.port, certificateName: certificateName(.tls), trust: trust.forTLS,
            certificateFile: certificate?.chainFile, keyFile: certificate?.keyFile, alpn: [configuration.alpn],
            purpose: "the fallback")
    }

    /// How often the kernel probes a broker over TCP that says nothing.
    var tcpKeepAlive: Duration { Self.quicKeepAlive }
}
