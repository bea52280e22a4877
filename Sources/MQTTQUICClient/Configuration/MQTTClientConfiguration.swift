import NIOCore

/// All that a client has to know about its broker and about itself. ``MQTTClient/connect()`` refuses what makes no
/// sense.
public struct MQTTClientConfiguration: Sendable {
    /// A name or an address. The broker's certificate has to be for it, unless ``TLS/serverName`` says otherwise.
    public var host: String
    /// The UDP port.
    public var port: Int
    /// Where to go if UDP does not get through: MQTT over TLS over TCP. `nil` means never. Plain TCP is never used.
    public var fallback: Fallback?
    public var version: MQTTVersion = .v5_0
    /// If this is empty, the broker assigns an identifier, which ``MQTTConnectAnswer/clientID`` tells.
    public var clientID: String
    public var credentials: Credentials?
    /// Whether the broker forgets an earlier session of this client identifier when ``MQTTClient/connect()`` is called.
    /// A reconnect of the client's own goes on with its session if the broker still has it.
    public var cleanStart = true
    /// How long the broker keeps the session after the connection has ended; `UInt32.max` seconds and more mean for
    /// ever. Whole seconds are sent, rounded up. MQTT 3.1.1 has no such time: a session that was not begun by a clean
    /// start is kept for as long as the broker likes.
    public var sessionExpiry: Duration = .zero
    /// The longest silence towards the broker; a PINGREQ is sent before it ends. Zero turns it off. The broker may set
    /// another time (Server Keep Alive), which then counts.
    public var keepAlive: Duration = .seconds(60)
    public var will: MQTTWill?
    public var tls = TLS()
    /// The application protocol that is offered in the handshake.
    public var alpn = "mqtt"
    /// Whether CONNECT may be sent in the first flight when a ticket allows it. It can be replayed by whoever captured
    /// it, so ask for this only where a repeated CONNECT does no harm. Messages are never sent that way.
    public var zeroRTT = false
    public var tickets: Tickets = .memory
    public var congestionControl: CongestionControl = .cubic
    /// How long a QUIC handshake may take before the fallback is used.
    public var handshakeTimeout: Duration = .seconds(5)
    /// How long one try may take, from the name to CONNACK.
    public var connectTimeout: Duration = .seconds(10)
    /// How a lost connection is made anew. `nil` means never.
    public var reconnect: Reconnect? = Reconnect()
    /// How many messages of QoS 1 and 2 the broker may have sent that were not acknowledged yet; at least 1.
    public var receiveMaximum: UInt16 = 64
    /// The largest packet in bytes that is accepted from the broker, and no more than 65,536 on a data stream.
    public var maximumPacketSize = 16 * 1_048_576
    /// How many messages may wait for their acknowledgement or to be sent. Another one is refused.
    public var maximumOutstandingPublishes = 1024
    /// How many bytes these may have together: payloads, topics and properties, with 256 more for each message and 64
    /// for each user property. A single message may be larger.
    public var maximumOutstandingBytes = 16 * 1_048_576
    /// On how many QUIC streams besides the first messages of QoS 0 and 1 are published, as EMQX allows it. Messages of
    /// one topic stay on one stream and in order. Where the broker allows fewer, the first stream carries the rest.
    /// 0 to 1,024.
    public var dataStreams = 0
    /// User properties of CONNECT.
    public var userProperties: [MQTTUserProperty] = []

    /// - Parameter clientID: If this is empty, the broker assigns one.
    public init(host: String, port: Int = 14567, clientID: String = "") {
        self.host = host
        self.port = port
        self.clientID = clientID
    }
}
