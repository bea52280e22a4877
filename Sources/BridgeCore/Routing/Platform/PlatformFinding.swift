/// What a platform's broker does with a message or a subscription other than to take it and use it.
package enum PlatformFinding: Int, Sendable, CaseIterable {
    /// The topic belongs to another device. The broker's access list denies it, and the broker disconnects the client.
    case anotherDevice
    /// The access list denies topics of that kind, and the broker disconnects the client.
    case deniedKind
    /// A subscription covers topics of other devices. The access list denies it, and the broker disconnects the client.
    case deniedFilter
    /// The broker accepts the message, and the platform never stores it.
    case neverIngested

    /// Whether the message or the subscription must not reach the broker, because the broker would disconnect the device.
    package var isRefused: Bool {
        switch self {
        case .anotherDevice, .deniedKind, .deniedFilter: true
        case .neverIngested: false
        }
    }

    /// The value of the metric's label.
    package var name: String {
        switch self {
        case .anotherDevice: "another_device"
        case .deniedKind: "denied_kind"
        case .deniedFilter: "denied_filter"
        case .neverIngested: "never_ingested"
        }
    }

    /// What is wrong with the topic and what would be right, in one line.
    package var explanation: String {
        switch self {
        case .anotherDevice:
            return "the topic is another device's, and the platform disconnects a device that publishes there;"
                + " a device publishes to device/<its own id>/"
        case .deniedKind:
            let kinds = TESAIoT.publishedKinds.joined(separator: ", ")
            return "the platform disconnects a device that publishes there; it takes \(kinds)"
        case .deniedFilter:
            return "the filter covers topics of other devices, and the platform disconnects a device that subscribes to"
                + " them; a device subscribes below device/<its own id>/"
        case .neverIngested:
            return "the platform accepts messages there and never stores them;"
                + " device/<id>/telemetry/... (not devices/) may be deeper than telemetry"
        }
    }
}
