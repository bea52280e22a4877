import NIOCore
import Testing

@testable import MQTTCodec

/// Packets other than PUBLISH that are longer than a decoder keeps by itself.
@Suite("Long packets")
struct LongPacketTests {
    private static let buffered = 500

    /// A SUBSCRIBE of exactly that many bytes, which are more than 130.
    private static func subscribe(_ length: Int) -> [UInt8] {
        var bytes = ByteBuffer(bytes: [0x82])
        let headerLength = (2...4).first { VariableByteInteger.encodedLength(length - 1 - $0) == $0 } ?? 4
        VariableByteInteger.write(length - 1 - headerLength, to: &bytes)
        bytes.writeInteger(UInt16(1))
        let topic = length - bytes.readableBytes - 3
        bytes.writeInteger(UInt16(topic))
        bytes.writeRepeatingByte(UInt8(ascii: "t"), count: topic)
        bytes.writeInteger(UInt8(0))
        return [UInt8](buffer: bytes)
    }

    private static func decoder(_ budget: LongPacketBudget?, packetSize: Int = 2_000) -> FrameDecoder {
        var decoder = FrameDecoder(maximumPacketSize: packetSize, maximumBufferedSize: buffered)
        decoder.version = .v3_1_1
        decoder.longPackets = budget
        return decoder
    }

    @Test(arguments: [1, 7, 499, 500, 501, 2_000])
    func passAsTheyCame(pieceLength: Int) throws {
        let budget = LongPacketBudget(limit: 1_500)
        var decoder = Self.decoder(budget)
        let packets = [501, 2_000, 500, 1_000].map(Self.subscribe)
        let bytes = Array(packets.joined())
        var seen: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: pieceLength) {
            decoder.append(ByteBuffer(bytes: bytes[start..<min(start + pieceLength, bytes.count)]))
            while case .packet(let frame)? = try decoder.next() { seen.append([UInt8](buffer: frame.bytes)) }
        }
        #expect(seen == packets)
        #expect(budget.usedBytes == 0)
    }

    @Test("the packet limit counts for them, which the header reveals")
    func atTheLimit() throws {
        var decoder = Self.decoder(LongPacketBudget(limit: 10_000), packetSize: 1_999)
        decoder.append(ByteBuffer(bytes: Self.subscribe(1_999)))
        #expect(try decoder.next() != nil)
        decoder.append(ByteBuffer(bytes: Self.subscribe(2_000).prefix(3)))
        let error = #expect(throws: MQTTError.self) { try decoder.next() }
        #expect(error?.message == "SUBSCRIBE: the packet is 2000 bytes long, and the limit is 1999")
    }

    @Test("bytes are charged as they come, and given back once the packet is done with")
    func charges() throws {
        let budget = LongPacketBudget(limit: 10_000)
        var decoder = Self.decoder(budget)
        let packet = Self.subscribe(2_000)
        var sent = 0
        for (upTo, used) in [(3, 0), (500, 0), (501, 1), (1_700, 1_200), (1_999, 1_499)] {
            decoder.append(ByteBuffer(bytes: packet[sent..<upTo]))
            sent = upTo
            #expect(try decoder.next() == nil)
            #expect(budget.usedBytes == used, "\(upTo)")
            #expect(decoder.takeShare() == nil)
        }
        // The next packet is not charged to this one.
        decoder.append(ByteBuffer(bytes: packet[sent...] + packet.prefix(100)))
        #expect(try decoder.next() != nil)
        #expect(budget.usedBytes == 1_500)
        #expect(try decoder.next() == nil)
        #expect(budget.usedBytes == 0)
    }

    @Test("whoever keeps the packet keeps its share")
    func shares() throws {
        let budget = LongPacketBudget(limit: 10_000)
        var decoder = Self.decoder(budget)
        decoder.append(ByteBuffer(bytes: Self.subscribe(1_000)))
        #expect(try decoder.next() != nil)
        var share = decoder.takeShare()
        #expect(share != nil)
        #expect(try decoder.next() == nil)
        #expect(budget.usedBytes == 500)
        share = nil
        #expect(budget.usedBytes == 0)
        decoder.append(ByteBuffer(bytes: Self.subscribe(400)))
        #expect(try decoder.next() != nil)
        #expect(decoder.takeShare() == nil)
    }

    @Test("a decoder that is dropped or fails gives everything back")
    func ends() throws {
        let budget = LongPacketBudget(limit: 1_000)
        var first: FrameDecoder? = Self.decoder(budget)
        first?.append(ByteBuffer(bytes: Self.subscribe(2_000).prefix(1_400)))
        #expect(try first?.next() == nil)
        var second = Self.decoder(budget)
        second.append(ByteBuffer(bytes: Self.subscribe(700).prefix(600)))
        #expect(try second.next() == nil)
        #expect(budget.usedBytes == 1_000)
        second.append(ByteBuffer(bytes: Self.subscribe(700).suffix(100)))
        let error = #expect(throws: MQTTError.self) { try second.next() }
        #expect(error?.reasonCode == .packetTooLarge)
        #expect(
            error?.message == "SUBSCRIBE: the packet is 700 bytes long, and other long packets take all the memory "
                + "that there is for packets of more than 500")
        #expect(budget.usedBytes == 900)
        first = nil
        #expect(budget.usedBytes == 0)
    }

    @Test("there are none without a budget, and a PUBLISH takes nothing from it")
    func others() throws {
        var stranger = Self.decoder(nil)
        stranger.append(ByteBuffer(bytes: Self.subscribe(501).prefix(3)))
        #expect(throws: MQTTError.self) { try stranger.next() }
        let budget = LongPacketBudget(limit: 0)
        var decoder = Self.decoder(budget)
        let head: [UInt8] = [0x30, 0xE8, 0x07, 0, 1, UInt8(ascii: "t")]
        decoder.append(ByteBuffer(bytes: head + [UInt8](repeating: 0, count: 997)))
        #expect(try decoder.next() != nil)
    }
}
