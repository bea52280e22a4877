/// What is wrong with a packet, and the clause of the specification that says so.
///
/// Messages name fields and numbers, but never contents, because they may be logged.
package struct MQTTError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is, which decides the reason code.
    package enum Kind: Sendable, Equatable {
        /// The bytes cannot be a packet (MQTT 5 1.2 "Malformed Packet").
        case malformed
        /// The packet is well-formed, but not allowed here (MQTT 5 1.2 "Protocol Error").
        case protocolError
        /// A topic alias of 0, or one above the maximum [MQTT-3.3.2-8].
        case topicAliasInvalid
        /// The packet is longer than the decoder's limit, or than MQTT can express.
        case packetTooLarge
        /// CONNECT names a protocol or a level other than 3.1, 3.1.1 and 5.0.
        case unsupportedVersion
        /// A value cannot be put into a packet, for example a string longer than 65 535 bytes.
        case notEncodable
    }

    /// What kind of fault it is.
    package let kind: Kind
    /// The clause, for example `[MQTT-3.1.2-3]`, or the section if the rule has no number: `MQTT 5 2.2.2.2`.
    package let clause: String
    /// One line without a full stop. It begins with the packet's name if that is known.
    package let message: String

    /// An error that code outside the codec has found.
    package init(_ kind: Kind, clause: String, message: String) {
        self.kind = kind
        self.clause = clause
        self.message = message
    }

    init(_ kind: Kind, _ clause: Clause, _ version: MQTTVersion, _ message: String) {
        self.init(kind, clause: clause.name(in: version), message: message)
    }

    /// The reason code for a DISCONNECT or CONNACK of MQTT 5 (MQTT 5 4.13).
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

    /// The message and the clause, for logs.
    package var description: String { "\(message) (\(clause))" }
}
