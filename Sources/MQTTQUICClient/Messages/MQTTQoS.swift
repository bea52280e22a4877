/// The guarantee with which a message is delivered (MQTT 5 4.3).
public enum MQTTQoS: UInt8, Sendable, Comparable, CaseIterable {
    case atMostOnce = 0
    case atLeastOnce = 1
    case exactlyOnce = 2

    /// Stronger guarantees are greater.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
