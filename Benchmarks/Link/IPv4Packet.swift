/// The ends of a UDP or TCP packet over IPv4, which can be changed in place together with the checksums.
struct IPv4Packet {
    enum Transport: UInt8 {
        case tcp = 6
        case udp = 17

        fileprivate var leastLength: Int { self == .tcp ? 20 : 8 }
        fileprivate var checksumOffset: Int { self == .tcp ? 16 : 6 }
    }

    /// One end of a flow.
    struct End: Hashable {
        var address: UInt32
        var port: UInt16
    }

    /// What a packet is to a NAT.
    enum Kind {
        /// A packet with ports.
        case flow(IPv4Packet)
        /// A packet that has no ports at all, such as ICMP.
        case other
        /// A packet whose ports cannot be known: it is cut off, or not the first fragment.
        case unreadable
    }

    let transport: Transport
    let source: End
    let destination: End
    /// Whether a TCP packet opens a connection: SYN without ACK.
    let opensConnection: Bool
    private let headerLength: Int

    /// Reads the headers of a packet.
    static func parse(_ bytes: [UInt8]) -> Kind {
        guard bytes.count >= 20 else { return .unreadable }
        guard bytes[0] >> 4 == 4, let transport = Transport(rawValue: bytes[9]) else { return .other }
        let headerLength = Int(bytes[0] & 0xF) * 4
        let fragmentOffset = word(bytes, 6) & 0x1FFF
        guard headerLength >= 20, fragmentOffset == 0, bytes.count >= headerLength + transport.leastLength else {
            return .unreadable
        }
        return .flow(IPv4Packet(bytes, transport, headerLength))
    }

    private init(_ bytes: [UInt8], _ transport: Transport, _ headerLength: Int) {
        self.transport = transport
        self.headerLength = headerLength
        source = End(address: Self.address(bytes, 12), port: Self.word(bytes, headerLength))
        destination = End(address: Self.address(bytes, 16), port: Self.word(bytes, headerLength + 2))
        opensConnection = transport == .tcp && bytes[headerLength + 13] & 0x12 == 0x02
    }

    func setSource(_ end: End, in bytes: inout [UInt8]) { set(end, 12, headerLength, in: &bytes) }

    func setDestination(_ end: End, in bytes: inout [UInt8]) { set(end, 16, headerLength + 2, in: &bytes) }

    private func set(_ end: End, _ addressOffset: Int, _ portOffset: Int, in bytes: inout [UInt8]) {
        let checksumOffset = headerLength + transport.checksumOffset
        var headerChecksum = Self.word(bytes, 10)
        var checksum = Self.word(bytes, checksumOffset)
        // A UDP packet may do without a checksum (RFC 768).
        let hasChecksum = transport == .tcp || checksum != 0
        let changes = [
            (addressOffset, UInt16(end.address >> 16)), (addressOffset + 2, UInt16(end.address & 0xFFFF)),
            (portOffset, end.port),
        ]
        for (offset, new) in changes {
            let old = Self.word(bytes, offset)
            // The checksum of UDP and TCP covers the addresses too, by its pseudo-header.
            checksum = InternetChecksum.update(checksum, from: old, to: new)
            if offset < 20 { headerChecksum = InternetChecksum.update(headerChecksum, from: old, to: new) }
            Self.setWord(new, in: &bytes, offset)
        }
        Self.setWord(headerChecksum, in: &bytes, 10)
        guard hasChecksum else { return }
        // 0 would mean that there is no checksum.
        Self.setWord(transport == .udp && checksum == 0 ? 0xFFFF : checksum, in: &bytes, checksumOffset)
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
        UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    private static func address(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        UInt32(word(bytes, offset)) << 16 | UInt32(word(bytes, offset + 2))
    }

    private static func setWord(_ word: UInt16, in bytes: inout [UInt8], _ offset: Int) {
        bytes[offset] = UInt8(word >> 8)
        bytes[offset + 1] = UInt8(word & 0xFF)
    }
}
