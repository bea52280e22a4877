/// The first two to five bytes of a packet (MQTT 5 2.1.1).
struct FixedHeader: Sendable, Equatable {
    var type: PacketType
    var flags: UInt8
    /// Bytes after the fixed header, 0...268 435 455.
    var remainingLength: Int
    /// Bytes of the fixed header itself, 2...5.
    var length: Int

    /// Bytes of the whole packet.
    var packetLength: Int { length + remainingLength }
}
