// The cases are written like the versions.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// The version of MQTT that a client speaks.
public enum MQTTVersion: Sendable, Equatable {
    case v3_1_1
    case v5_0
}
