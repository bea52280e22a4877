import NIOCore
import Testing

@testable import MQTTCodec

/// A lenient decoder passes on anything that has an end, because the broker judges it.
@Suite("Lenient reading")
struct LenientTests {
    private static let bad = [PacketCase].bad.filter { !$0.isConnect }
    private static let endless = ["packet type 0", "five length bytes"]

    /// What a lenient decoder puts out, joined to bytes again.
    private func read(_ bytes: ByteBuffer, _ version: MQTTVersion?, threshold: Int = 65_536, inPieces: Bool = false)
        throws(MQTTError) -> (bytes: ByteBuffer, elements: [FrameDecoder.Element])
    {
        var decoder = FrameDecoder(
            maximumPacketSize: 1 << 20, streamingThreshold: threshold, maximumBufferedSize: 1 << 20, reading: .lenient)
        decoder.version = version
        var out = ByteBuffer()
        var elements: [FrameDecoder.Element] = []
        for piece in inPieces ? bytes.singleBytes : [bytes] {
            decoder.append(piece)
            while let element = try decoder.next() {
                elements.append(element)
                switch element {
                case .packet(let frame): out.writeImmutableBuffer(frame.bytes)
                case .publishBegin(let publish): out.writeImmutableBuffer(publish.head)
                case .unreadBegin(let publish): out.writeImmutableBuffer(publish.start)
                case .payload(let piece, _): out.writeImmutableBuffer(piece)
                }
            }
        }
        return (out, elements)
    }

    @Test("every row that is refused strictly passes unchanged if it has an end", arguments: bad)
    func everyBadPacketPasses(_ row: PacketCase) throws {
        guard !Self.endless.contains(row.name) else {
            #expect(throws: MQTTError.self) { try read(row.bytes.buffer, row.version) }
            return
        }
        for inPieces in [false, true] {
            let (bytes, elements) = try read(row.bytes.buffer, row.version, inPieces: inPieces)
            #expect(bytes == row.bytes.buffer && elements.count == 1)
            // This PUBLISH is too long to be kept.
            let streamed = try read(row.bytes.buffer, row.version, threshold: 0, inPieces: inPieces)
            #expect(streamed.bytes == row.bytes.buffer)
        }
    }

    @Test("every good row is regular in a lenient reading", arguments: [PacketCase].good.filter { !$0.isConnect })
    func goodPacketsAreRegular(_ row: PacketCase) throws {
        let (_, elements) = try read(row.bytes.buffer, row.version)
        guard case .packet(let frame)? = elements.first else {
            Issue.record("no packet")
            return
        }
        #expect(frame.isRegular)
    }

    @Test func oddHeadersAreTold() throws {
        for bytes: Bytes in ["C1 00", "C0 01 00", "42 02 0001", "38 [ <'a'> ]", "F0 00", "40 03 0001 00"] {
            #expect(try !Frame(packet: bytes.buffer, version: .v3_1_1, reading: .lenient).isRegular)
        }
    }

    @Test("the first packet must be CONNECT, with any flags")
    func firstPacket() throws {
        for byte in UInt8(0)...255 {
            let bytes = ByteBuffer(bytes: [byte, 0])
            if byte >> 4 == 1 {
                #expect(try read(bytes, nil).bytes == bytes)
            } else {
                #expect(throws: MQTTError.self) { try read(bytes, nil) }
            }
        }
    }

    @Test("a length over the limit, and one without an end, are refused leniently too")
    func limits() {
        for bytes in [[0x30, 0xFF, 0xFF, 0xFF, 0x7F], [0xC1, 0xFF, 0xFF, 0xFF, 0xFF, 1], [0, 0]] as [[UInt8]] {
            #expect(throws: MQTTError.self) { try read(ByteBuffer(bytes: bytes), .v5_0) }
        }
    }

    @Test func onlyMessagesAreReadLenientlyWhereThatIsAsked() throws {
        let duplicate = Bytes("38 [ <'a'> ]").buffer
        #expect(try !Frame(packet: duplicate, version: .v3_1_1, reading: .lenientMessages).isRegular)
        #expect(throws: MQTTError.self) {
            try Frame(packet: Bytes("C1 00").buffer, version: .v3_1_1, reading: .lenientMessages)
        }
    }

    @Test func framesOnlyReadsNoHead() throws {
        var decoder = FrameDecoder(
            maximumPacketSize: 1_000, streamingThreshold: 4, maximumBufferedSize: 100, reading: .framesOnly)
        decoder.version = .v5_0
        decoder.append(Bytes("30 [ <'a/b'> 'payload' ]").buffer)
        guard case .unreadBegin(let begin)? = try decoder.next() else {
            Issue.record("not unread")
            return
        }
        #expect(begin.error == nil && begin.restLength == 12)
    }

    // MARK: Contents

    @Test(
        "properties that can't be read go on as they came",
        arguments: [
            "[ 22 0001 22 0002 ]", "[ 17 02 ]", "[ 23 0001 ]", "[ 21 0000 ]", "[ 7E 01 11 00000001 ]", "[ 26 <FF> <> ]",
            "[ 11 0000 ]", "[ 16 <01> ]", "[ 22 0005 17 02 26 <'k'> <'v'> ]",
        ])
    func oddProperties(_ properties: String) throws {
        let connect = Bytes(stringLiteral: "10 [ <'MQTT'> 05 02 003C \(properties) <'dev'> ]")
        let decoded = try Connect.decode(Frame(packet: connect.buffer, version: nil), isLenient: true)
        #expect(decoded.clientID == "dev")
        #expect(try decoded.encode() == connect.buffer)
    }

    @Test func unreadPropertiesAreKnownByName() throws {
        func properties(_ bytes: Bytes) throws -> Properties {
            var reader = PacketReader(bytes.buffer, type: .publish, version: .v5_0, isLenient: true)
            return try reader.properties()
        }
        let twice = try properties("[ 08 <'a'> 08 <'b'> ]")
        #expect(twice.responseTopic == "a" && twice.hasUnread(.responseTopic) && !twice.hasUnread(.topicAlias))
        #expect(try properties("[ 23 0000 ]").hasUnread(.topicAlias))
        #expect(try !properties("[ 01 02 ]").hasUnread(.topicAlias, .responseTopic))
        // After an unknown property there may be any other.
        #expect(try properties("[ 7E 00 ]").hasUnread(.topicAlias))
        #expect(try !properties("[ 23 0001 26 <'k'> <'v'> ]").hasUnread(.topicAlias))
    }

    @Test(
        "what a CONNECT has no place for is left out",
        arguments: [
            ("11 [ <'MQTT'> 04 02 003C <'a'> ]", .v3_1_1), ("10 [ <'MQTT'> 04 03 003C <'a'> ]", .v3_1_1),
            ("10 [ <'MQTT'> 04 2A 003C <'a'> ]", .v3_1_1), ("10 [ <'MQTT'> 04 02 003C <'a'> 0000 ]", .v3_1_1),
            ("10 [ <'MQTT'> 05 03 003C [] <'a'> ]", .v5_0),
        ] as [(Bytes, MQTTVersion)])
    func oddConnects(_ bytes: Bytes, _ version: MQTTVersion) throws {
        let frame = try Frame(packet: bytes.buffer, version: nil, reading: .lenient)
        #expect(throws: MQTTError.self) { try Connect.decode(frame) }
        let connect = try Connect.decode(frame, isLenient: true)
        #expect(connect == Connect(version: version, keepAlive: 60, clientID: "a"))
    }

    @Test func reservedBitsOfASubscriptionAreKept() throws {
        for (version, bytes): (MQTTVersion, Bytes) in [
            (.v3_1_1, "82 [ 0001 <'a'> FD ]"), (.v5_0, "82 [ 0001 [] <'a'> C1 ]"),
            (.v5_0, "82 [ 0001 [] <'$share/g/a'> 05 ]"),
        ] {
            let frame = try Frame(packet: bytes.buffer, version: version)
            #expect(throws: MQTTError.self) { try Subscribe.decode(frame, version: version) }
            let subscribe = try Subscribe.decode(frame, version: version, isLenient: true)
            #expect(try subscribe.encode(version: version) == bytes.buffer)
        }
    }

    @Test func topicsAreCheckedOnRequest() throws {
        func head(_ bytes: Bytes) throws -> PublishHead {
            try PublishHead.decode(
                Frame(packet: bytes.buffer, version: .v5_0, reading: .lenient), version: .v5_0, isLenient: true
            ).0
        }
        try head("30 [ <'a'> [ 01 02 ] 'x' ]").checkTopics(.v5_0)
        for bytes: Bytes in [
            "30 [ <'a/+'> [] ]", "30 [ <> [] ]", "30 [ <'a'> [ 08 <'b/#'> ] ]", "30 [ <'a'> [ 08 <'b'> 08 <'c'> ] ]",
        ] {
            #expect(throws: MQTTError.self) { try head(bytes).checkTopics(.v5_0) }
        }
        let error = #expect(throws: MQTTError.self) { try head("30 [ <'a'> [ 23 0000 ] ]").checkTopics(.v5_0) }
        #expect(error?.reasonCode == .topicAliasInvalid)
    }
}
