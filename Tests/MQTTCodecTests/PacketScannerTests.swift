import MQTTCodec
import NIOCore
import Testing

@Suite struct PacketScannerTests {
    private static let connect: [UInt8] = [0x10, 12, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0]
    private static let pingreq: [UInt8] = [0xC0, 0]
    private static let disconnect: [UInt8] = [0xE0, 0]
    private static let publish: [UInt8] = [0x30, 0x80 | 72, 1, 0, 1, 0x61] + [UInt8](repeating: 0xE0, count: 197)

    private func scanned(_ bytes: [UInt8]) -> PacketScanner {
        var scanner = PacketScanner()
        #expect(scanner.scan(ByteBuffer(bytes: bytes)) == bytes.count)
        return scanner
    }

    @Test func boundariesAreWherePacketsEnd() {
        let stream = Self.connect + Self.pingreq + Self.publish + Self.disconnect
        var ends: Set<Int> = [0]
        for packet in [Self.connect, Self.pingreq, Self.publish, Self.disconnect] {
            ends.insert(ends.max()! + packet.count)
        }
        for length in 0...stream.count {
            #expect(scanned(Array(stream.prefix(length))).isAtBoundary == ends.contains(length), "\(length)")
        }
    }

    @Test func whatAPacketLacksIsKnownOnceItsLengthIs() {
        let missing = (0...Self.publish.count).map { scanned(Array(Self.publish.prefix($0))).missingBytes }
        #expect(missing == [0, 0, 0] + (0...200).reversed())
    }

    @Test func messagesAreCountedWhenTheyAreWhole() {
        let stream = Self.connect + Self.publish + Self.pingreq + Self.publish
        #expect(scanned(stream).messages == 2)
        #expect(scanned(Array(stream.dropLast())).messages == 1)
        #expect(scanned(Self.connect + Self.pingreq).messages == 0)
    }

    @Test func itDoesNotMatterHowBytesCome() {
        let stream = Self.connect + Self.publish + Self.disconnect
        for split in 0...stream.count {
            var scanner = PacketScanner()
            scanner.scan(ByteBuffer(bytes: stream.prefix(split)))
            scanner.scan(ByteBuffer(bytes: stream.dropFirst(split)))
            #expect(scanner.isAtBoundary && scanner.hasSeen(.disconnect) && scanner.hasSeen(.publish))
            #expect(scanner.protocolLevel == 5 && scanner.firstLength == Self.connect.count)
        }
        var scanner = PacketScanner()
        for byte in stream { scanner.scan(ByteBuffer(bytes: [byte])) }
        #expect(scanner.isAtBoundary && scanner.hasSeen(.disconnect) && scanner.protocolLevel == 5)
    }

    /// The payload is full of DISCONNECT's first byte.
    @Test func payloadsAreNotPackets() {
        let scanner = scanned(Self.connect + Self.publish)
        #expect(!scanner.hasSeen(.disconnect) && scanner.hasSeen(.publish))
    }

    private static let levels: [([UInt8], UInt8)] = [
        ([0x10, 14, 0, 6, 0x4D, 0x51, 0x49, 0x73, 0x64, 0x70, 3, 2, 0, 60, 0, 0], 3),
        ([0x10, 12, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 0], 4),
        // Mosquitto's bridges write it like this.
        ([0x10, 12, 0, 4, 0x4D, 0x51, 0x54, 0x54, 0x84, 2, 0, 60, 0, 0], 4),
        ([0x10, 12, 0, 4, 0x4D, 0x51, 0x54, 0x54, 9, 2, 0, 60, 0, 0], 9),
        ([0x10, 3, 0, 0, 5], 5),
    ]

    @Test(arguments: levels)
    func theProtocolLevelIsSeen(packet: [UInt8], level: UInt8) {
        #expect(scanned(packet).protocolLevel == level)
    }

    @Test(arguments: [[UInt8]([0x10, 2, 0, 4]), [0x10, 0], [0x10, 4, 0xFF, 0xFF, 1, 5], [0x30, 3, 0, 0, 5]])
    func whatIsNoConnectHasNoLevel(packet: [UInt8]) {
        let scanner = scanned(packet)
        #expect(scanner.protocolLevel == nil && scanner.isAtBoundary && scanner.firstByte == packet[0])
    }

    @Test func aLengthOfFiveBytesLosesTheThread() {
        let scanner = scanned(Self.connect + [0x30, 0x80, 0x80, 0x80, 0x80, 1] + Self.pingreq)
        #expect(!scanner.isAtBoundary && !scanner.hasSeen(.pingreq))
        #expect(scanned(Self.connect + [0x30, 0x80, 0x80, 0x80, 0]).isAtBoundary)
    }

    @Test func itStopsAtTheFirstBoundary() {
        var scanner = PacketScanner()
        let stream = ByteBuffer(bytes: Self.publish + Self.pingreq)
        #expect(scanner.scan(stream, stopsAtBoundary: true) == Self.publish.count)
        #expect(!scanner.hasSeen(.pingreq))
        var other = PacketScanner()
        other.scan(ByteBuffer(bytes: Self.publish.prefix(50)))
        let rest = ByteBuffer(bytes: Self.publish.dropFirst(50) + Self.pingreq)
        #expect(other.scan(rest, stopsAtBoundary: true) == Self.publish.count - 50)
        #expect(other.isAtBoundary)
    }
}
