/// The place of the connected device in its session.
///
/// An array of one element works as a box: every packet changes the device where it is, without copying it out of its
/// session and back, and a session without a device has no room for one.
struct DeviceSlot: Sendable {
    private var devices: [ConnectedDevice] = []

    /// A copy of the device; `nil` if none is connected.
    var device: ConnectedDevice? { devices.first }

    var isEmpty: Bool { devices.isEmpty }

    mutating func put(_ device: ConnectedDevice) {
        devices = [device]
    }

    mutating func clear() {
        devices = []
    }

    /// Hands an event to the device.
    ///
    /// - Returns: The actions, and whether the session has to end; `nil` if no device is connected.
    mutating func change(
        _ change: (inout ConnectedDevice) -> [SessionAction]
    ) -> (actions: [SessionAction], isOver: Bool)? {
        guard !devices.isEmpty else { return nil }
        let actions = change(&devices[0])
        return (actions, devices[0].isOver())
    }

    // These methods change nothing. They are `mutating` because an element of an array is copied for any other call.

    /// Whether the device's next packet may be handed over; `false` if no device is connected.
    mutating func takesDeviceInput() -> Bool {
        devices.isEmpty ? false : devices[0].takesDeviceInput()
    }

    /// Whether the broker's next packet may be handed over; `true` if no device is connected.
    mutating func takesUplinkInput() -> Bool {
        devices.isEmpty ? true : devices[0].takesUplinkInput()
    }

    /// Lets the device keep memory for what comes next.
    mutating func becomeBusy() {
        if !devices.isEmpty { devices[0].hold?.journal.isBusy = true }
    }

    /// Gives back memory that only a busy device needs.
    mutating func rest() {
        if !devices.isEmpty { devices[0].hold?.journal.rest() }
    }
}

extension ConnectedDevice {
    fileprivate mutating func isOver() -> Bool { ending != nil }
}
