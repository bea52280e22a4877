/// What a device is like, which follows from its number.
package struct DeviceKind: Sendable, Hashable {
    package let isVersion5: Bool
    /// Whether the device keeps its session at the broker over a reconnect.
    package let isPersistent: Bool
    /// Seconds from the loss of the device to its will (MQTT 5 3.1.3.2.2).
    package let willDelay: Int

    /// In seconds. Short enough that a device that falls silent is missed within a short run.
    package static let keepAlive = 15

    package init(number: Int) {
        isVersion5 = number % 2 == 1
        isPersistent = number / 2 % 2 == 1
        willDelay = isVersion5 && number / 4 % 3 == 0 ? 3 : 0
    }

    /// As reports call it.
    package var name: String {
        "\(isVersion5 ? "5.0" : "3.1.1") \(isPersistent ? "persistent" : "clean")"
    }

    /// Whether the broker forgets the session when the network is lost, even if the bridge holds the device.
    package var isForgotten: Bool { !isVersion5 && !isPersistent }

    /// Whether the bridge has the broker wait with the will while it holds the device.
    package var isDelayed: Bool { isVersion5 && !isPersistent }
}
