/// What keeps a device from being held when its uplink leg is lost, in the words of the log.
package enum HoldObstacle: Sendable, CustomStringConvertible {
    /// The device sent what must not reach the broker twice, such as a second CONNECT.
    case lastPacket
    /// There are more subscriptions than are remembered.
    case subscriptions
    case aliases
    /// There was no room for a message or a request that is on its way to the broker, or is not acknowledged.
    case sending
    /// A message that is too long to be kept is on its way to the device.
    case receiving

    package var description: String {
        switch self {
        case .lastPacket: "its last packet must not reach the broker again"
        case .subscriptions:
            "its subscriptions need more room than uplink.hold_buffer, or than is left of uplink.hold_buffer_total"
        case .aliases: "its topic aliases stand for more than \(AliasBook.maximumBytes / 1_024) KiB of topics"
        case .sending: "there was no room to keep a message or request that it had sent (uplink.hold_buffer)"
        case .receiving: "it was in the middle of receiving a long message"
        }
    }
}
