/// The delivery guarantee that a PUBLISH has or a subscription asks for (MQTT 5 4.3).
package enum QoS: UInt8, Sendable, Comparable, CaseIterable {
    case atMostOnce = 0
    case atLeastOnce = 1
    case exactlyOnce = 2

    /// Stronger guarantees are greater.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
