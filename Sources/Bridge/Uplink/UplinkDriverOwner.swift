import BridgeCore

/// Has the drivers of one event loop: one for each role that makes connections, and those that drain.
protocol UplinkDriverOwner: AnyObject {
    /// The driver that makes connections for that role now.
    func driver(_ role: UplinkDriver.Role) -> UplinkDriver
    /// The driver has nothing left to do.
    func drained(_ driver: UplinkDriver)
}

extension UplinkDriver.Role {
    var purpose: UplinkPurpose {
        switch self {
        case .devices: .devices
        case .gateway(let version, _, _): .gateway(version)
        }
    }
}
