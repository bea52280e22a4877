import NIOCore
import Testing

@testable import MQTTCodec

@Suite("Limits")
struct LimitTests {
    /// A packet of exactly `length` bytes.
    private static func packet(_ first: UInt8, length: Int, body: Bytes) -> [UInt8] {
        var bytes = ByteBuffer(bytes: [first])
        let headerLength = (1...4).first { VariableByteInteger.encodedLength(length - 1 - $0) == $0 } ?? 4
        VariableByteInteger.write(length - 1 - headerLength, to: &bytes)
        bytes.writeBytes(body.array)
        bytes.writeRepeatingByte(UInt8(ascii: "x"), count: length - bytes.readableBytes)
        return [UInt8](buffer: bytes)
    }

    private static func decoder(_ size: Int, _ threshold: Int, _ buffered: Int) -> FrameDecoder {
        var decoder = FrameDecoder(
            maximumPacketSize: size, streamingThreshold: threshold, maximumBufferedSize: buffered)
        decoder.version = .v3_1_1
        return decoder
    }

    @Test("PUBLISH at the packet limit and one over", arguments: [10, 128, 131, 1000, 70_000])
    func maximumPacketSize(_ limit: Int) throws {
        let atLimit = Self.packet(0x30, length: limit, body: "<'t'>")
        #expect(atLimit.count == limit)
        let stream = DecodedStream([ByteBuffer(bytes: atLimit)], version: .v3_1_1, maximumPacketSize: limit)
        #expect(stream.packets.count == 1)

        var decoder = Self.decoder(limit, 1 << 16, 1 << 16)
        decoder.append(ByteBuffer(bytes: Self.packet(0x30, length: limit + 1, body: "<'t'>").prefix(5)))
        let error = #expect(throws: MQTTError.self) { try decoder.next() }
        #expect(error?.kind == .packetTooLarge)
        #expect(error?.reasonCode == .packetTooLarge)
        #expect(decoder.bufferedBytes == 0)
    }

    @Test("the largest packet of all at the limit, and refused one below it")
    func largestPacket() throws {
        let header: Bytes = "30 FFFFFF7F 0001 't'"
        var decoder = Self.decoder(268_435_460, 1 << 16, 1 << 16)
        decoder.append(header.buffer)
        guard case .publishBegin(let publish) = try decoder.next() else {
            Issue.record("not begun")
            return
        }
        #expect(publish.payloadLength == 268_435_452)

        decoder = Self.decoder(268_435_459, 1 << 16, 1 << 16)
        decoder.append(header.buffer)
        #expect(throws: MQTTError.self) { try decoder.next() }
    }

    @Test("SUBSCRIBE at the buffer limit and one over, which its header reveals")
    func maximumBufferedSize() throws {
        let limit = 500
        let atLimit = Self.packet(0x82, length: limit, body: "0001 <'t'> 00")
        var decoder = Self.decoder(1 << 20, 1 << 16, limit)
        decoder.append(ByteBuffer(bytes: atLimit))
        guard case .packet = try decoder.next() else {
            Issue.record("no packet")
            return
        }
        decoder.append(ByteBuffer(bytes: Self.packet(0x82, length: limit + 1, body: "0001 <'t'> 00").prefix(3)))
        #expect(throws: MQTTError.self) { try decoder.next() }
    }

    @Test("CONNECT over the limit is refused before its body comes")
    func connect() {
        var decoder = FrameDecoder(maximumPacketSize: 1 << 28, maximumBufferedSize: 1024)
        decoder.append(Bytes("10 FFFFFF7F").buffer)
        #expect(throws: MQTTError.self) { try decoder.next() }
    }

    @Test("the head of a streamed PUBLISH at the limit and one over")
    func streamedHead() throws {
        // There are 3 bytes of fixed header and 2 bytes of length before the topic.
        let topic = [UInt8](repeating: UInt8(ascii: "t"), count: 95)
        let bytes = Self.packet(0x30, length: 1000, body: Bytes([0, 95] + topic))
        var decoder = Self.decoder(1000, 10, 100)
        decoder.append(ByteBuffer(bytes: bytes))
        guard case .publishBegin(let publish) = try decoder.next() else {
            Issue.record("not begun")
            return
        }
        #expect(publish.head.readableBytes == 100)

        decoder = Self.decoder(1000, 10, 99)
        decoder.append(ByteBuffer(bytes: bytes.prefix(5)))
        let error = #expect(throws: MQTTError.self) { try decoder.next() }
        #expect(error?.kind == .packetTooLarge)
    }

    @Test("properties that claim to be longer than the limit, or than the packet")
    func streamedProperties() {
        for (bytes, kind): (Bytes, MQTTError.Kind) in [
            ("30 E807 0001 't' C801", .packetTooLarge), ("30 E807 0001 't' F707", .malformed),
            ("30 E807 0001 't' FFFFFF7F", .malformed), ("30 E807 FFFF", .malformed),
        ] {
            var decoder = Self.decoder(1 << 20, 10, 100)
            decoder.version = .v5_0
            decoder.append(bytes.buffer)
            let error = #expect(throws: MQTTError.self) { try decoder.next() }
            #expect(error?.kind == kind)
        }
    }

    @Test("a length field alone takes no memory")
    func lengthIsNotBelieved() throws {
        var decoder = Self.decoder(1 << 29, 1 << 29, 1 << 29)
        for byte: UInt8 in [0x82, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1] {
            decoder.append(ByteBuffer(bytes: [byte]))
            #expect(try decoder.next() == nil)
        }
        #expect(decoder.bufferedBytes == 7)
        #expect(decoder.retainedCapacity <= 256)
    }

    @Test("encoding at 65 535 bytes of string and one over")
    func strings() throws {
        let longest = String(repeating: "t", count: 65_535)
        let head = try PublishHead(topic: longest).encode(version: .v3_1_1, payloadLength: 0)
        #expect(head.readableBytes == 4 + 2 + 65_535)
        #expect(throws: MQTTError.self) {
            try PublishHead(topic: longest + "t").encode(version: .v3_1_1, payloadLength: 0)
        }
        #expect(throws: MQTTError.self) { try Connect(clientID: longest + "t").encode() }
        let tooLong = ByteBuffer(repeating: 0, count: 65_536)
        #expect(throws: MQTTError.self) { try Connect(password: tooLong).encode() }
        #expect(throws: MQTTError.self) { try Connect(properties: [.reasonString(longest)]).encode() }
    }

    @Test("encoding the largest packet and one byte more")
    func payloadLength() throws {
        let head = PublishHead(topic: "t")
        let bytes = try head.encode(version: .v3_1_1, payloadLength: 268_435_452)
        #expect([UInt8](buffer: bytes) == Bytes("30 FFFFFF7F 0001 't'").array)
        for length in [268_435_453, Int.max, -4] {
            let error = #expect(throws: MQTTError.self) { try head.encode(version: .v3_1_1, payloadLength: length) }
            #expect(error?.kind == .packetTooLarge)
        }
    }
}
