import BridgeCore

// Whether the session is busy.
extension SessionDriver {
    /// A session to which this often something comes between two checks is busy. A device that publishes once per second
    /// is, and one that has just connected and subscribed is not: a thousand of those must not take memory at once.
    private static let busyInputs: UInt8 = 8

    /// Something has come from the device or the broker.
    func stir() {
        host.gathering?.arrived()
        if inputs == 0, !isBusy { host.watchRest(of: self) }
        if inputs < Self.busyInputs { inputs += 1 }
    }

    /// Looks how much has come since the previous call. Returns whether the session rests.
    func mayRest() -> Bool {
        let wasBusy = isBusy
        isBusy = inputs >= Self.busyInputs
        inputs = 0
        if isBusy, !wasBusy { session.becomeBusy() }
        if !isBusy, wasBusy { session.rest() }
        return !isBusy
    }
}
