import NIOCore
import Synchronization

/// What is kept about one device only so that it can be watched: 48 bytes.
package struct DeviceMeter {
    private static let lastID = Atomic<DeviceID>(0)

    /// Makes numbers begin above those of earlier runs of the program, so that somebody with the list of an earlier run
    /// on the screen cannot disconnect another device by it.
    ///
    /// Each second since 2026 sets 16,384 numbers aside. An earlier run is above that only if it took more connections
    /// per second on average, or if the clock has been set back. Numbers stay below 2^53, up to which JavaScript counts
    /// exactly, for thousands of years.
    ///
    /// - Parameter now: Seconds since 1970.
    package static func beginNumbers(at now: Double) {
        let secondsSince2026 = min(max(now - 1_767_225_600, 0), 1e11)
        lastID.max(DeviceID(secondsSince2026) << 14, ordering: .relaxed)
    }

    /// The number of the device, which no other connection has had.
    package let id: DeviceID
    /// Bytes of MQTT from the device.
    package var bytesUp: UInt64 = 0
    /// Bytes of MQTT to the device.
    package var bytesDown: UInt64 = 0
    /// When something last came from the broker; `distantPast` if nothing has.
    package var heardBroker = NIODeadline.distantPast
    /// When the device's CONNECT came; later, when the message came that ``sampledID`` names.
    private var startedAt = NIODeadline.distantPast
    private var sampledID: UInt16 = 0
    /// What the device is doing.
    package var state = DeviceState.connecting

    package init() {
        id = Self.lastID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    // MARK: - The time until an answer

    /// Begins to measure how long CONNECT takes.
    package mutating func connectCame(at now: NIODeadline) {
        startedAt = now
    }

    /// How long CONNECT has taken so far, in seconds; `nil` if none has come.
    package func connectTook(at now: NIODeadline) -> Double? {
        startedAt == .distantPast ? nil : (now - startedAt).inSeconds
    }

    /// A message at QoS 1 or 2 came from the device. One message of a device is measured at a time, from its arrival to
    /// the broker's PUBACK or PUBREC: the next one that comes after that answer is the next one to be measured. So a device
    /// that awaits each answer has every message measured, and one that has many in flight about one in that many. A
    /// message that never gets an answer, because a route drops it, gives way after a minute.
    package mutating func messageCame(_ packetID: UInt16, at now: NIODeadline) {
        // A device may publish before its CONNACK, whose time is still measured then.
        guard state != .connecting, sampledID == 0 || sampledID == packetID || startedAt + Self.patience <= now else {
            return
        }
        sampledID = packetID
        startedAt = now
    }

    /// Whether the broker's acknowledgement answers the message that is measured.
    package func awaits(_ packetID: UInt16) -> Bool { sampledID == packetID && packetID != 0 }

    /// The broker's acknowledgement came. Returns how long it took, in seconds.
    package mutating func acknowledged(at now: NIODeadline) -> Double {
        sampledID = 0
        return max((now - startedAt).inSeconds, 0)
    }

    private static let patience = TimeAmount.seconds(60)
}

extension TimeAmount {
    package var inSeconds: Double { Double(nanoseconds) / 1e9 }
}
