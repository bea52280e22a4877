/// Messages that are numbered together: of one device, in one topic, with one quality of service.
package struct StreamID: Hashable, Sendable {
    /// What a message is for.
    package enum Purpose: UInt8, CaseIterable, Sendable {
        case up0, up1, up2
        /// QoS 1, with a retained value.
        case retained
        /// Commands to the device.
        case down1, down2
        /// What the device says when it has connected, retained; its number is that of the connection.
        case online
        /// What the broker says in the same topic for a device that has gone; the same number.
        case will
    }

    package let device: Int
    package let purpose: Purpose

    package init(device: Int, purpose: Purpose) {
        self.device = device
        self.purpose = purpose
    }
}

extension StreamID.Purpose {
    /// 0, 1 or 2.
    package var qos: UInt8 {
        switch self {
        case .up0: 0
        case .up1, .retained, .down1, .online, .will: 1
        case .up2, .down2: 2
        }
    }

    package var isDown: Bool { self == .down1 || self == .down2 }

    /// As reports call it.
    package var name: String {
        switch self {
        case .up0: "QoS 0"
        case .up1: "QoS 1"
        case .up2: "QoS 2"
        case .retained: "retained"
        case .down1: "command QoS 1"
        case .down2: "command QoS 2"
        case .online: "online"
        case .will: "will"
        }
    }
}
