@testable import BenchmarkLink

/// Builds IPv4 packets with correct checksums, and checks those of others. The checksums are computed over the whole
/// packet, not updated as the NAT does it.
enum TestPacket {
    static func make(
        _ transport: IPv4Packet.Transport, from source: IPv4Packet.End, to destination: IPv4Packet.End,
        payload: [UInt8] = [1, 2, 3], options: [UInt8] = [], tcpFlags: UInt8 = 0x10
    ) -> [UInt8] {
        var segment = bytes(source.port) + bytes(destination.port)
        switch transport {
        case .udp: segment += bytes(UInt16(8 + payload.count)) + [0, 0]
        case .tcp: segment += [0, 0, 0, 1, 0, 0, 0, 2, 0x50, tcpFlags, 0x10, 0, 0, 0, 0, 0]
        }
        segment += payload
        let length = UInt16(20 + options.count + segment.count)
        var packet: [UInt8] = [0x40 | UInt8(5 + options.count / 4), 0]
        packet += bytes(length) + [0x12, 0x34, 0x40, 0, 64, transport.rawValue, 0, 0]
        packet += bytes(source.address) + bytes(destination.address) + options + segment
        return seal(packet)
    }

    /// Puts correct checksums in.
    private static func seal(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        put(InternetChecksum.compute(packet[..<headerLength(packet)]), at: 10, in: &packet)
        var checksum = InternetChecksum.compute(pseudoHeader(packet) + packet[headerLength(packet)...])
        if packet[9] == IPv4Packet.Transport.udp.rawValue, checksum == 0 { checksum = 0xFFFF }
        put(checksum, at: checksumOffset(packet), in: &packet)
        return packet
    }

    /// Whether both checksums are right.
    static func isIntact(_ packet: [UInt8]) -> Bool {
        InternetChecksum.compute(packet[..<headerLength(packet)]) == 0
            && InternetChecksum.compute(pseudoHeader(packet) + packet[headerLength(packet)...]) == 0
    }

    static func checksumOffset(_ packet: [UInt8]) -> Int {
        headerLength(packet) + (packet[9] == IPv4Packet.Transport.tcp.rawValue ? 16 : 6)
    }

    private static func headerLength(_ packet: [UInt8]) -> Int { Int(packet[0] & 0xF) * 4 }

    private static func pseudoHeader(_ packet: [UInt8]) -> [UInt8] {
        packet[12..<20] + [0, packet[9]] + bytes(UInt16(packet.count - headerLength(packet)))
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func put(_ word: UInt16, at offset: Int, in packet: inout [UInt8]) {
        packet.replaceSubrange(offset..<offset + 2, with: bytes(word))
    }
}
