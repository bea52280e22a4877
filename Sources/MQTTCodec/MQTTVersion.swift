// The cases are written like the versions.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// A protocol version. The raw value is the protocol level in CONNECT.
package enum MQTTVersion: UInt8, Sendable, Comparable, CaseIterable, CustomStringConvertible {
    case v3_1 = 3
    case v3_1_1 = 4
    case v5_0 = 5

    /// Later versions are greater.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Whether packets carry reason codes and properties (MQTT 5 2.2.2).
    package var hasProperties: Bool { self == .v5_0 }

    /// The specification's name, as clauses cite it.
    package var description: String {
        switch self {
        case .v3_1: "MQTT 3.1"
        case .v3_1_1: "MQTT 3.1.1"
        case .v5_0: "MQTT 5"
        }
    }

    /// The first field of CONNECT (MQTT 5 3.1.2.1).
    var protocolName: String { self == .v3_1 ? "MQIsdp" : "MQTT" }
}
