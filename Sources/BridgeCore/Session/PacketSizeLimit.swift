/// How the limits on packets, `limits.packet_size` and the broker's, are told to devices of MQTT 5.0.
enum PacketSizeLimit {
    /// The longest packet that MQTT can express: a Remaining Length of 268,435,455 bytes behind a fixed header of 5
    /// (MQTT 5 2.1.4).
    private static let longestPacket = 268_435_460
    /// The largest Maximum Packet Size that every client accepts: several clients refuse a CONNACK that says more than
    /// the maximum of Remaining Length.
    private static let mostTold = 268_435_455

    /// The Maximum Packet Size (MQTT 5 3.2.2.3.6) for a limit in bytes; `nil` if no packet can exceed the limit, so
    /// that there is nothing to tell.
    static func told(_ limit: Int) -> UInt32? {
        limit >= longestPacket ? nil : UInt32(clamping: min(limit, mostTold))
    }

    /// No device is told less than this because of its routes, which would leave it room for nothing.
    private static let leastTold: UInt32 = 128

    /// The Maximum Packet Size for a device whose messages become longer on their way to a broker with that limit. A
    /// device that keeps to it must not be disconnected for a packet that is too large only once it is routed.
    ///
    /// - Parameter room: How much longer a message may become, in bytes.
    static func told(_ limit: UInt32, leaving room: Int) -> UInt32 {
        max(UInt32(clamping: Int(limit) - room), min(limit, leastTold))
    }
}
