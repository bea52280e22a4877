import NIOCore
import Testing

@testable import MQTTCodec

@Suite("A long PUBLISH is handed out as it comes in")
struct StreamingTests {
    private static let head: Bytes = "<'some/topic'> 000A [ 23 0001 26 <'key'> <'value'> 03 <'application/json'> ]"

    private static let publish = PublishHead(
        qos: .atLeastOnce, topic: "some/topic", packetID: 10,
        properties: [.topicAlias(1), .userProperty(name: "key", value: "value"), .contentType("application/json")])

    /// A PUBLISH with `payloadLength` bytes of payload, followed by a PINGREQ.
    private static func stream(payloadLength: Int) throws -> ByteBuffer {
        var payload = ByteBuffer()
        for index in 0..<payloadLength { payload.writeInteger(UInt8(truncatingIfNeeded: index &* 31)) }
        var bytes = try Packet.publish(publish, payload: payload).encode(version: .v5_0)
        bytes.writeBytes([0xC0, 0x00])
        return bytes
    }

    @Test("split at every byte near the head and the end")
    func splitNearHead() throws {
        let bytes = try Self.stream(payloadLength: 70_000)
        let whole = DecodedStream([bytes.slice()], version: .v5_0, streamingThreshold: 1 << 20)
        #expect(whole.packets.count == 2)
        #expect(whole.streamedPublishes == 0)
        let count = bytes.readableBytes
        for index in Array(0...100) + Array((count - 10)...count) {
            let stream = DecodedStream(bytes.slice().split(at: index), version: .v5_0, maximumBufferedSize: 128)
            #expect(stream.packets == whole.packets)
            #expect(stream.streamedPublishes == 1)
        }
    }

    @Test("three pieces, every two splits in the head")
    func splitTwice() throws {
        let bytes = try Self.stream(payloadLength: 200).slice()
        let whole = DecodedStream([bytes], version: .v5_0).packets
        for first in 0...60 {
            for second in first...60 {
                let tail = bytes.split(at: first)[1].slice().split(at: second - first)
                let stream = DecodedStream(
                    [bytes.split(at: first)[0]] + tail, version: .v5_0, streamingThreshold: 100,
                    maximumBufferedSize: 128)
                #expect(stream.packets == whole)
                #expect(stream.streamedPublishes == 1)
            }
        }
    }

    @Test("the head is verbatim, and payload comes with the read that brought it")
    func elements() throws {
        let bytes = try Self.stream(payloadLength: 1000).slice()
        var decoder = FrameDecoder(maximumPacketSize: 10_000, streamingThreshold: 100, maximumBufferedSize: 128)
        decoder.version = .v5_0
        let headLength = bytes.readableBytes - 1000 - 2
        let pieces = bytes.split(at: headLength + 400)

        decoder.append(pieces[0])
        guard case .publishBegin(let begun) = try decoder.next() else {
            Issue.record("not begun")
            return
        }
        #expect(begun.head == bytes.getSlice(at: 0, length: headLength))
        #expect(begun.publish == Self.publish)
        #expect(begun.flags == 0b0010)
        #expect(begun.payloadLength == 1000)
        #expect(try decoder.next() == .payload(bytes.getSlice(at: headLength, length: 400)!, isLast: false))
        #expect(try decoder.next() == nil)
        #expect(decoder.bufferedBytes == 0)
        #expect(decoder.retainedCapacity == 0)

        decoder.append(pieces[1])
        #expect(try decoder.next() == .payload(bytes.getSlice(at: headLength + 400, length: 600)!, isLast: true))
        guard case .packet(let frame) = try decoder.next() else {
            Issue.record("no packet behind the payload")
            return
        }
        #expect(frame.type == .pingreq)
        #expect(try decoder.next() == nil)
    }

    @Test("an empty payload is one empty last piece")
    func emptyPayload() throws {
        var decoder = FrameDecoder(maximumPacketSize: 1000, streamingThreshold: 0, maximumBufferedSize: 1000)
        decoder.version = .v3_1_1
        decoder.append(Bytes("30 [ <'a'> ] C0 00").buffer)
        guard case .publishBegin(let begun) = try decoder.next() else {
            Issue.record("not begun")
            return
        }
        #expect(begun.payloadLength == 0)
        #expect(try decoder.next() == .payload(ByteBuffer(), isLast: true))
        #expect(try decoder.next() != nil)
    }

    @Test("at the threshold whole, one byte over streamed")
    func threshold() {
        let bytes: Bytes = "30 [ <'a'> 'payload' ]"
        let length = bytes.array.count
        let atThreshold = DecodedStream([bytes.buffer], version: .v3_1_1, streamingThreshold: length)
        #expect(atThreshold.streamedPublishes == 0)
        let over = DecodedStream([bytes.buffer], version: .v3_1_1, streamingThreshold: length - 1)
        #expect(over.streamedPublishes == 1)
        #expect(over.packets == atThreshold.packets)
    }

    @Test("a malformed head is refused as soon as it has arrived, without the payload")
    func malformedHead() {
        var decoder = FrameDecoder(maximumPacketSize: 1 << 20, streamingThreshold: 100, maximumBufferedSize: 1000)
        decoder.version = .v3_1_1
        decoder.append(Bytes("30 FFFF03 <'a/#'>").buffer)
        let error = #expect(throws: MQTTError.self) { try decoder.next() }
        #expect(error?.clause == "[MQTT-3.3.2-2]")
    }

    @Test("the next packet is not read as a part of the head")
    func headEndsWithItsPacket() {
        let bytes = Bytes("30 04 0001 'a' FF FF FF FF 00").buffer
        for index in 0...bytes.readableBytes {
            let stream = DecodedStream(bytes.split(at: index), version: .v5_0, streamingThreshold: 0)
            #expect(stream.error?.message == "PUBLISH: ends before its head does")
        }
    }

    /// The property length has too many bytes or promises more than the packet has, and the head may be too long.
    @Test(
        "a head that is wrong in two ways has the same error in any pieces",
        arguments: ["7F FF FF FF FF", "FF FF FF FF 7F", "FF FF FF 7F 00"] as [Bytes])
    func wrongInTwoWays(_ propertyLength: Bytes) {
        var bytes = ("30 C801 0064" as Bytes).buffer
        bytes.writeRepeatingByte(0x61, count: 100)
        bytes.writeImmutableBuffer(propertyLength.buffer)
        bytes.writeRepeatingByte(0, count: 98 - propertyLength.buffer.readableBytes)
        for limit in 100...112 {
            func error(_ pieces: [ByteBuffer]) -> MQTTError? {
                DecodedStream(pieces, version: .v5_0, streamingThreshold: 16, maximumBufferedSize: limit).error
            }
            let whole = error([bytes])
            #expect(whole != nil)
            #expect(error(bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) }) == whole)
        }
    }
}
