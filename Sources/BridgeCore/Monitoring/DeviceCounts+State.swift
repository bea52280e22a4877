extension DeviceCounts {
    /// How many devices are in that state.
    package subscript(state: DeviceState) -> Int {
        get {
            switch state {
            case .connecting: connecting
            case .live: live
            case .held: held
            case .ending: ending
            }
        }
        set {
            switch state {
            case .connecting: connecting = newValue
            case .live: live = newValue
            case .held: held = newValue
            case .ending: ending = newValue
            }
        }
    }

    /// All devices, whatever they are doing.
    package var all: Int { connecting + live + held + ending }

    /// The devices of two event loops together.
    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        for state in DeviceState.allCases { sum[state] += right[state] }
        return sum
    }
}
