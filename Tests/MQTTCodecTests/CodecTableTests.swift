import NIOCore
import Testing

@testable import MQTTCodec

@Suite("Tables of packets")
struct CodecTableTests {
    @Test("every row decodes to its packet or names its clause", arguments: [PacketCase].all)
    func decode(_ row: PacketCase) throws {
        let stream = DecodedStream([row.bytes.buffer], version: row.isConnect ? nil : row.version)
        switch row.outcome {
        case .packet(let packet, _):
            #expect(stream.packets == [packet])
            #expect(stream.error == nil)
        case .error(let kind, let clause):
            #expect(stream.packets.isEmpty)
            let error = try #require(stream.error)
            #expect(error.kind == kind)
            #expect(error.clause == clause)
        }
    }

    @Test("every packet encodes to its bytes", arguments: [PacketCase].good)
    func encode(_ row: PacketCase) throws {
        guard case .packet(let packet, let canonical) = row.outcome else { return }
        #expect(try packet.encode(version: row.version) == canonical.buffer)
    }

    /// MQTT compares topics byte by byte, but Swift compares strings by canonical equivalence.
    @Test func stringsAreNotNormalized() throws {
        for bytes: Bytes in ["30 [ <'e' CC81> ]", "30 [ <C3A9> ]"] {
            let packet = try Packet.decode(Frame(packet: bytes.buffer, version: .v3_1_1), version: .v3_1_1)
            #expect(try packet.encode(version: .v3_1_1) == bytes.buffer)
        }
    }

    @Test(
        "before CONNECT nothing else is accepted, and the first byte tells",
        arguments: [
            (0x30, "[MQTT-3.1.0-1]"), (0xC0, "[MQTT-3.1.0-1]"), (0x00, "[MQTT-3.1.0-1]"), (0xF0, "[MQTT-3.1.0-1]"),
            (0x16, "[MQTT-3.1.0-1]"), (0x47, "[MQTT-3.1.0-1]"), (0x11, "[MQTT-2.2.2-2]"),
        ] as [(UInt8, String)])
    func firstPacket(_ byte: UInt8, _ clause: String) {
        let stream = DecodedStream([ByteBuffer(bytes: [byte])], version: nil)
        #expect(stream.error?.clause == clause)
    }

    @Test func strangersAreNamed() {
        #expect(DecodedStream([ByteBuffer(bytes: [0x16])], version: nil).error?.message.contains("TLS") == true)
        #expect(
            DecodedStream([ByteBuffer(string: "GET / HTTP/1.1")], version: nil).error?.message.contains("HTTP") == true)
    }

    @Test func errorsSayReasonCodeAndClause() {
        let error = DecodedStream([Bytes("30 [ <'#'> [] ]").buffer], version: .v5_0).error
        #expect(error?.description == "PUBLISH: topic name holds a wildcard ([MQTT-3.3.2-2])")
        #expect(error?.reasonCode == .malformedPacket)
        #expect(DecodedStream([Bytes("82 03 0001 00").buffer], version: .v5_0).error?.reasonCode == .protocolError)
    }

    @Test func aFrameIsExactlyOnePacket() {
        for bytes: Bytes in ["", "C0", "C0 00 00", "30 05 0001 'a'"] {
            #expect(throws: MQTTError.self) { try Frame(packet: bytes.buffer, version: .v3_1_1) }
        }
    }

    @Test func aFrameOfAnotherTypeIsRefused() throws {
        let ping = try Frame(packet: Bytes("C0 00").buffer, version: .v5_0)
        #expect(throws: MQTTError.self) { try Subscribe.decode(ping, version: .v5_0) }
        #expect(throws: MQTTError.self) { try PublishAck.decode(ping, version: .v5_0) }
        #expect(throws: MQTTError.self) { try Connect.decode(ping) }
    }
}
