import MQTTCodec

/// What a device asked for in CONNECT, as far as it matters later.
struct DeviceFacts: Sendable {
    let version: MQTTVersion
    /// The keepalive in seconds; 0 means that the device asked for none.
    let keepAlive: UInt16
    /// Whether the device asked for Clean Session, or Clean Start in 5.0.
    let isClean: Bool
    /// Seconds for which the device's session was to outlive its connection. For 3.1 and 3.1.1 this is 0 with Clean
    /// Session, and the maximum without.
    let sessionExpiry: UInt32
    /// The longest packet that the device accepts, in bytes; `nil` if it set no limit.
    let maximumPacketSize: UInt32?
    /// How many QoS 1 and 2 messages the device accepts at once; `nil` if it set no limit.
    let receiveMaximum: UInt16?
    /// Whether acknowledgements may carry reason strings and user properties (MQTT 5 3.1.2.11.7).
    let takesProblemInformation: Bool
    /// The client id, if the bridge chose it: a 5.0 device has to be told.
    var assignedClientID: String?
    /// Whether the broker has a will of the device.
    var hasWill = false
    /// Whether the bridge asked for a Session Expiry Interval that the device does not know about (5.0). It ends with
    /// the session.
    var hasBorrowedExpiry = false

    init(_ connect: Connect) {
        let properties = connect.properties
        version = connect.version
        keepAlive = connect.keepAlive
        isClean = connect.cleanStart
        sessionExpiry =
            version.hasProperties ? properties.sessionExpiryInterval ?? 0 : connect.cleanStart ? 0 : .max
        maximumPacketSize = properties.maximumPacketSize
        receiveMaximum = properties.receiveMaximum
        takesProblemInformation = properties.requestProblemInformation ?? true
    }

    /// Whether the broker keeps the device's will back for as long as the device may be held (5.0).
    var keepsWillBack: Bool { hasBorrowedExpiry && hasWill }

    /// The keepalive as a duration; `nil` if there is none.
    var keepAliveDuration: Duration? { keepAlive == 0 ? nil : .seconds(Int64(keepAlive)) }

    /// Whether CONNECT asked for no session that outlives its connection (5.0): then DISCONNECT may not ask for one
    /// either (MQTT 5 3.14.2.2.2).
    var hasNoExpiry: Bool { version.hasProperties && sessionExpiry == 0 }

    /// Whether the device accepts a packet of that many bytes [MQTT-3.1.2-24].
    func takes(_ length: Int) -> Bool { length <= maximumPacketSize ?? .max }
}

extension Duration {
    /// One and a half times a keepalive in seconds, after which a peer that sent nothing is gone [MQTT-3.1.2-24]; `nil`
    /// if there is no keepalive.
    static func patience(keepAlive: UInt16) -> Duration? {
        keepAlive == 0 ? nil : .milliseconds(Int64(keepAlive) * 1_500)
    }
}

extension SessionIdentity {
    /// - Parameter original: What the device itself sent, if that was changed.
    init(_ connect: Connect, original: Connect? = nil) {
        self.init(
            clientID: connect.clientID, username: connect.username, version: connect.version,
            own: original.map { OwnIdentity(clientID: $0.clientID, username: $0.username) })
        bringsCredentials = (original ?? connect).bringsCredentials
    }
}
