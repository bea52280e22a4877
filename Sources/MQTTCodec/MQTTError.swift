/// What is wrong with a packet, and the clause of the specification that says so.
///
/// Messages name fields and numbers, never their contents: they may be logged.
package struct MQTTError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The bytes can't be a packet (MQTT 5 1.2 "Malformed Packet").
        case malformed
        /// Well-formed, but not allowed here (MQTT 5 1.2 "Protocol Error").
        case protocolError
        /// A topic alias of 0, or one above the maximum [MQTT-3.3.2-8].
        case topicAliasInvalid
        /// Longer than the limit that the decoder was given, or than MQTT can express.
        case packetTooLarge
        /// CONNECT names a protocol or a level other than 3.1, 3.1.1 and 5.0.
        case unsupportedVersion
        /// A value of ours has no place in a packet: a string longer than 65 535 bytes, for example.
        case notEncodable
    }

    package let kind: Kind
    /// `[MQTT-3.1.2-3]` where the clause has a number of its own, else the section: `MQTT 5 2.2.2.2`.
    package let clause: String
    /// One line without a full stop, beginning with the packet's name where it is known.
    package let message: String

    package init(_ kind: Kind, clause: String, message: String) {
        self.kind = kind
        self.clause = clause
        self.message = message
    }

    init(_ kind: Kind, _ clause: Clause, _ version: MQTTVersion, _ message: String) {
        self.init(kind, clause: clause.name(in: version), message: message)
    }

    /// What an MQTT 5 DISCONNECT or CONNACK says about it (MQTT 5 4.13).
    package var reasonCode: ReasonCode {
        switch kind {
        case .malformed: .malformedPacket
        case .protocolError: .protocolError
        case .topicAliasInvalid: .topicAliasInvalid
        case .packetTooLarge: .packetTooLarge
        case .unsupportedVersion: .unsupportedProtocolVersion
        case .notEncodable: .implementationSpecificError
        }
    }

    package var description: String { "\(message) (\(clause))" }
}
