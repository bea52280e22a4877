/// What has passed through a link since it began, or since the last `reset`.
package struct LinkStatistics: Codable, Sendable, Equatable {
    /// From edge to cloud.
    package var uplink = Direction()
    /// From cloud to edge.
    package var downlink = Direction()
    /// How many mappings the NAT has made.
    package var natMappings = 0
    /// How often the NAT has forgotten all its mappings.
    package var rebinds = 0

    /// One direction. Packets are IP packets, and bytes include their IP headers.
    package struct Direction: Codable, Sendable, Equatable {
        /// What came in, whatever became of it.
        package var packets = 0
        package var bytes = 0
        package var deliveredPackets = 0
        package var deliveredBytes = 0
        /// Packets that came while the link was down.
        package var droppedOutage = 0
        /// Packets that found the queue full.
        package var droppedQueue = 0
        package var droppedLoss = 0
        /// Packets that the NAT had no mapping for.
        package var droppedNAT = 0
        /// Packets that the kernel did not take.
        package var failed = 0

        /// Packets that were dropped, for any reason.
        package var dropped: Int { droppedOutage + droppedQueue + droppedLoss + droppedNAT + failed }

        enum CodingKeys: String, CodingKey {
            case packets, bytes, failed
            case deliveredPackets = "delivered_packets"
            case deliveredBytes = "delivered_bytes"
            case droppedOutage = "dropped_outage"
            case droppedQueue = "dropped_queue"
            case droppedLoss = "dropped_loss"
            case droppedNAT = "dropped_nat"
        }
    }

    enum CodingKeys: String, CodingKey {
        case uplink, downlink, rebinds
        case natMappings = "nat_mappings"
    }
}
