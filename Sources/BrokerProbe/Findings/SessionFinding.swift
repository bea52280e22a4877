import BridgeCore
import MQTTCodec

/// What came of CONNECT.
package struct SessionFinding: Sendable, Equatable, Encodable {
    /// `3.1.1` or `5.0`.
    package var version: String
    package var clientID: String
    /// Whether a client id was asked for, or a random one was used.
    package var isClientIDGiven: Bool
    package var isUsernameGiven: Bool
    package var milliseconds: Double
    /// Why there was no CONNACK; `nil` if there was one.
    package var problem: String?
    /// The code of CONNACK; 0 if it accepts the client.
    package var code: Int?
    /// The code in words.
    package var codeInWords: String?
    /// The broker's own explanation (MQTT 5 3.2.2.3.9).
    package var reasonString: String?
    /// What CONNACK allows, as far as it says so.
    package var limits = Limits()

    /// MQTT 5 3.2.2.3. What is `nil` has the specification's default, which allows everything.
    package struct Limits: Sendable, Equatable, Encodable {
        package var receiveMaximum: UInt16?
        package var qosLimit: UInt8?
        package var isRetainAvailable: Bool?
        /// In bytes.
        package var maximumPacketSize: UInt32?
        package var topicAliasMaximum: UInt16?
        package var isWildcardSubscriptionAvailable: Bool?
        package var isSharedSubscriptionAvailable: Bool?
        /// In seconds.
        package var serverKeepAlive: UInt16?
        package var assignedClientID: String?

        package init() {}
    }

    package init(
        version: String, clientID: String, isClientIDGiven: Bool, isUsernameGiven: Bool, milliseconds: Double = 0
    ) {
        self.version = version
        self.clientID = clientID
        self.isClientIDGiven = isClientIDGiven
        self.isUsernameGiven = isUsernameGiven
        self.milliseconds = milliseconds
    }

    /// Whether there is a session.
    package var isAccepted: Bool { code == 0 }

    /// Whether the broker does not speak the version of CONNECT ([MQTT-3.1.2-2]).
    var isVersionRefused: Bool {
        code == 1 || code == Int(ReasonCode.unsupportedProtocolVersion.rawValue)
    }

    mutating func note(_ connack: Connack) {
        code = Int(connack.code)
        codeInWords = ConnackCode.describe(connack.code)
        let properties = connack.properties
        reasonString = properties.reasonString
        limits.receiveMaximum = properties.receiveMaximum
        limits.qosLimit = properties.maximumQoS?.rawValue
        limits.isRetainAvailable = properties.retainAvailable
        limits.maximumPacketSize = properties.maximumPacketSize
        limits.topicAliasMaximum = properties.topicAliasMaximum
        limits.isWildcardSubscriptionAvailable = properties.wildcardSubscriptionAvailable
        limits.isSharedSubscriptionAvailable = properties.sharedSubscriptionAvailable
        limits.serverKeepAlive = properties.serverKeepAlive
        limits.assignedClientID = properties.assignedClientIdentifier
    }

    /// Whether CONNACK says that the broker takes nobody now, rather than not this client.
    private var isBusy: Bool {
        guard let code else { return false }
        // 3 is "server unavailable" of 3.1.1; the others are busy, quota exceeded and connection rate exceeded.
        return version == "3.1.1" ? code == 3 : [0x88, 0x89, 0x97, 0x9F].contains(code)
    }

    /// Why there is no session; `nil` if there is one.
    package var failure: ProbeFailure? {
        if let problem { return ProbeFailure(.broken, problem) }
        guard !isAccepted else { return nil }
        let own = reasonString.map { ": \($0.quotedForMessage(limit: 200))" } ?? ""
        let words = "the broker refuses the client by CONNACK \(codeInWords ?? "")\(own)"
        return isBusy ? ProbeFailure(.busy, words) : ProbeFailure(.refused, words)
    }
}
