import NIOCore
import Testing

@testable import MQTTCodec

/// TCP keeps no boundaries, so the pieces in which bytes arrive must make no difference.
@Suite("Split and cut at every byte")
struct SplitTests {
    /// With 0 every PUBLISH is streamed.
    private static let thresholds = [1 << 16, 0]

    @Test("a row in two pieces, or byte by byte", arguments: [PacketCase].all, thresholds)
    func split(_ row: PacketCase, _ threshold: Int) {
        let version = row.isConnect ? nil : row.version
        let whole = DecodedStream([row.bytes.buffer], version: version)
        let bytes = row.bytes.buffer
        for index in 0...bytes.readableBytes {
            let stream = DecodedStream(bytes.split(at: index), version: version, streamingThreshold: threshold)
            #expect(stream.packets == whole.packets)
            #expect(stream.error?.clause == whole.error?.clause)
        }
        let stream = DecodedStream(bytes.singleBytes, version: version, streamingThreshold: threshold)
        #expect(stream.packets == whole.packets)
        #expect(stream.error?.clause == whole.error?.clause)
    }

    @Test("a packet cut off is neither a packet nor an error", arguments: [PacketCase].good, thresholds)
    func cut(_ row: PacketCase, _ threshold: Int) {
        for stream in Self.beginnings(of: row, threshold) {
            #expect(stream.packets.isEmpty)
            #expect(stream.error == nil)
        }
    }

    @Test("a malformed packet cut off is no packet", arguments: [PacketCase].bad, thresholds)
    func cutMalformed(_ row: PacketCase, _ threshold: Int) {
        for stream in Self.beginnings(of: row, threshold) {
            #expect(stream.packets.isEmpty)
            if case .error(_, let clause) = row.outcome, let error = stream.error { #expect(error.clause == clause) }
        }
    }

    /// The results for each possible beginning of the packet's bytes.
    private static func beginnings(of row: PacketCase, _ threshold: Int) -> [DecodedStream] {
        row.bytes.array.indices.map { length in
            DecodedStream(
                [ByteBuffer(bytes: row.bytes.array[..<length])], version: row.isConnect ? nil : row.version,
                streamingThreshold: threshold)
        }
    }

    @Test("all packets of a version one after another", arguments: MQTTVersion.allCases, thresholds)
    func stream(_ version: MQTTVersion, _ threshold: Int) {
        let rows = [PacketCase].good.filter { $0.version == version }
        let bytes = ByteBuffer(bytes: rows.flatMap(\.bytes.array))
        let expected = rows.compactMap { if case .packet(let packet, _) = $0.outcome { packet } else { nil } }
        for index in 0...bytes.readableBytes {
            let stream = DecodedStream(bytes.split(at: index), version: version, streamingThreshold: threshold)
            #expect(stream.packets == expected)
        }
        #expect(DecodedStream(bytes.singleBytes, version: version).packets == expected)
    }

    @Test("CONNECT and what follows it in the same read")
    func pipelined() {
        let bytes: Bytes = "10 [ <'MQTT'> 05 02 003C [] <> ] 82 [ 0001 [] <'a'> 00 ] C0 00"
        for index in 0...bytes.array.count {
            let stream = DecodedStream(bytes.buffer.split(at: index), version: nil)
            #expect(stream.packets.count == 3)
            #expect(stream.error == nil)
        }
    }

    @Test("packets before a bad one come out, and the error stays")
    func errorAfterPackets() {
        var decoder = FrameDecoder(maximumPacketSize: 100, maximumBufferedSize: 100)
        decoder.version = .v3_1_1
        decoder.append(Bytes("C0 00 D0 00 C1 00 C0 00").buffer)
        #expect(throws: Never.self) { try decoder.next() }
        #expect(throws: Never.self) { try decoder.next() }
        for _ in 0..<3 {
            #expect(throws: MQTTError.self) { try decoder.next() }
            decoder.append(Bytes("C0 00").buffer)
            #expect(decoder.bufferedBytes == 0)
            #expect(decoder.retainedCapacity == 0)
        }
    }
}
