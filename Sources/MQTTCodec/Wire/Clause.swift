/// A rule, identified by its number in each specification.
///
/// MQTT 3.1 does not number its rules, so the numbers of 3.1.1 serve for it.
struct Clause: Sendable, Equatable {
    let v3: String
    let v5: String

    init(v3: String, v5: String) {
        self.v3 = v3
        self.v5 = v5
    }

    /// A rule that has the same number in both.
    init(_ name: String) { self.init(v3: name, v5: name) }

    func name(in version: MQTTVersion) -> String { version.hasProperties ? v5 : v3 }
}

// Data representation and fixed header.
extension Clause {
    static let wellFormedUTF8 = Clause(v3: "[MQTT-1.5.3-1]", v5: "[MQTT-1.5.4-1]")
    static let noNullCharacter = Clause(v3: "[MQTT-1.5.3-2]", v5: "[MQTT-1.5.4-2]")
    static let variableByteInteger = Clause(v3: "MQTT 3.1.1 2.2.3", v5: "MQTT 5 1.5.5")
    static let shortestVariableByteInteger = Clause(v3: "MQTT 3.1.1 2.2.3", v5: "[MQTT-1.5.5-1]")
    static let stringLength = Clause(v3: "MQTT 3.1.1 1.5.3", v5: "MQTT 5 1.5.4")
    static let binaryLength = Clause(v3: "MQTT 3.1.1 3.1.3", v5: "MQTT 5 1.5.6")
    static let packetType = Clause(v3: "MQTT 3.1.1 2.2.1", v5: "MQTT 5 2.1.2")
    static let remainingLength = Clause(v3: "MQTT 3.1.1 2.2.3", v5: "MQTT 5 2.1.4")
    static let maximumPacketSize = Clause(v3: "MQTT 3.1.1 2.2.3", v5: "[MQTT-3.2.2-15]")
    static let packetIDNotZero = Clause(v3: "[MQTT-2.3.1-1]", v5: "[MQTT-2.2.1-3]")
    static let packetIDOfAcknowledged = Clause(v3: "[MQTT-2.3.1-6]", v5: "[MQTT-2.2.1-5]")

    /// The rule about the lower four bits of the first byte.
    static func reservedFlags(of type: PacketType) -> Clause {
        switch type {
        case .pubrel, .subscribe, .unsubscribe, .disconnect, .auth: Clause("[MQTT-\(type.section).1-1]")
        case .connect, .connack, .publish, .puback, .pubrec, .pubcomp, .suback, .unsuback, .pingreq, .pingresp:
            Clause(v3: "[MQTT-2.2.2-2]", v5: "[MQTT-2.1.3-1]")
        }
    }

    /// The section that describes a packet. It is named if the packet is too short or too long for its fields.
    static func section(of type: PacketType) -> Clause {
        Clause(v3: "MQTT 3.1.1 \(type.section)", v5: "MQTT 5 \(type.section)")
    }
}

// Properties.
extension Clause {
    static let propertyLength = Clause("MQTT 5 2.2.2.1")
    static let properties = Clause("MQTT 5 2.2.2.2")
}

// CONNECT, CONNACK and AUTH.
extension Clause {
    static let firstPacket = Clause("[MQTT-3.1.0-1]")
    static let protocolName = Clause("[MQTT-3.1.2-1]")
    static let protocolLevel = Clause("[MQTT-3.1.2-2]")
    static let connectReservedFlag = Clause("[MQTT-3.1.2-3]")
    static let willQoSWithoutWill = Clause(v3: "[MQTT-3.1.2-13]", v5: "[MQTT-3.1.2-11]")
    static let willQoS = Clause(v3: "[MQTT-3.1.2-14]", v5: "[MQTT-3.1.2-12]")
    static let willRetainWithoutWill = Clause(v3: "[MQTT-3.1.2-15]", v5: "[MQTT-3.1.2-13]")
    static let passwordWithoutUserName = Clause("[MQTT-3.1.2-22]")
    static let authenticationDataAlone = Clause("MQTT 5 3.1.2.11.10")
    static let authenticationMethodOmitted = Clause("MQTT 5 3.15.2.2.2")
    static let connackFlags = Clause(v3: "MQTT 3.1.1 3.2.2.1", v5: "[MQTT-3.2.2-1]")
    static let sessionPresentRefused = Clause(v3: "[MQTT-3.2.2-4]", v5: "[MQTT-3.2.2-6]")
    static let connackReasonCode = Clause("[MQTT-3.2.2-8]")
}

// PUBLISH and its acknowledgements.
extension Clause {
    static let duplicateAtQoS0 = Clause("[MQTT-3.3.1-2]")
    static let publishQoS = Clause("[MQTT-3.3.1-4]")
    static let publishTopicWildcard = Clause("[MQTT-3.3.2-2]")
    static let emptyTopicWithoutAlias = Clause(v3: "[MQTT-4.7.3-1]", v5: "MQTT 5 3.3.2.1")
    static let topicAlias = Clause("[MQTT-3.3.2-8]")
    static let responseTopicWildcard = Clause("[MQTT-3.3.2-14]")

    /// The rule that lists the reason codes of a packet.
    static func reasonCode(of type: PacketType) -> Clause {
        switch type {
        case .puback, .pubrec, .pubrel, .pubcomp, .disconnect, .auth: Clause("[MQTT-\(type.section).2-1]")
        case .suback, .unsuback: Clause("[MQTT-\(type.section).3-2]")
        case .connect, .connack, .publish, .subscribe, .unsubscribe, .pingreq, .pingresp: .connackReasonCode
        }
    }
}

// Subscriptions, topic names and filters.
extension Clause {
    static let subscribeEmpty = Clause(v3: "[MQTT-3.8.3-3]", v5: "[MQTT-3.8.3-2]")
    /// The hyphen after the first 3 is in the specification of 3.1.1.
    static let subscriptionReservedBits = Clause(v3: "[MQTT-3-8.3-4]", v5: "[MQTT-3.8.3-5]")
    static let subscriptionOptions = Clause(v3: "[MQTT-3-8.3-4]", v5: "MQTT 5 3.8.3.1")
    static let noLocalShared = Clause("[MQTT-3.8.3-4]")
    static let subackCount = Clause(v3: "[MQTT-3.8.4-5]", v5: "[MQTT-3.8.4-6]")
    static let unsubscribeEmpty = Clause("[MQTT-3.10.3-2]")
    static let unsubackCount = Clause("[MQTT-3.11.3-1]")
    static let wildcardInName = Clause(v3: "[MQTT-4.7.1-1]", v5: "[MQTT-4.7.0-1]")
    static let multiLevelWildcard = Clause(v3: "[MQTT-4.7.1-2]", v5: "[MQTT-4.7.1-1]")
    static let singleLevelWildcard = Clause(v3: "[MQTT-4.7.1-3]", v5: "[MQTT-4.7.1-2]")
    static let emptyTopic = Clause("[MQTT-4.7.3-1]")
    static let nullInTopic = Clause("[MQTT-4.7.3-2]")
    static let topicLength = Clause("[MQTT-4.7.3-3]")
    static let shareNameEmpty = Clause("[MQTT-4.8.2-1]")
    static let shareName = Clause("[MQTT-4.8.2-2]")
}
