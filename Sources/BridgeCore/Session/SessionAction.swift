import MQTTCodec
import NIOCore

/// What the driver is to do, in this order.
package enum SessionAction: Sendable {
    /// The device has said who it is. Comes once, before anything goes to the uplink.
    case identified(SessionIdentity)
    /// Start an uplink leg; answer with `uplinkReady()`, `uplinkUnreachable(_:)` or `uplinkLost(_:)`.
    case openUplink(keepAlive: Duration?)
    case sendToUplink(ByteBuffer)
    /// FIN, behind everything sent before. The uplink leg stays until the broker's own FIN.
    case finishUplink
    /// Close the uplink leg now; what is still queued is lost.
    case closeUplink
    case sendToDevice(ByteBuffer)
    /// Close the device leg, behind everything sent before.
    case closeDevice
    case start(SessionTimer, after: Duration)
    case stop(SessionTimer)
    /// The broker accepted the device. From now on a device that sends nothing for `silence` is gone
    /// ([MQTT-3.1.2-24]); `timedOut(.keepAlive)` says so. `nil`: its keepalive is off.
    case connected(silence: Duration?)
    /// Why the session is over. Comes once, before the legs are closed.
    case ended(SessionEnd)
}

/// The times a session waits for something.
package enum SessionTimer: Sendable, Hashable, CaseIterable {
    /// For the device's CONNECT.
    case connectPacket
    /// From CONNECT to the broker's CONNACK.
    case uplinkConnect
    /// For the broker's FIN after ours.
    case goodbye
    /// For any packet of the device.
    case keepAlive
}

/// Who a device is: what logs and limits know of it.
package struct SessionIdentity: Sendable, Equatable {
    /// As the broker sees it; empty where the broker assigns one.
    package var clientID: String
    package var username: String?
    package var version: MQTTVersion

    package init(clientID: String, username: String?, version: MQTTVersion) {
        self.clientID = clientID
        self.username = username
        self.version = version
    }
}
