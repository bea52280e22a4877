/// How `limits.packet_size` is told to devices of MQTT 5.0.
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
}
