import NIOCore
import Testing

@testable import MQTTCodec

@Suite("Properties")
struct PropertiesTests {
    @Test("a property is replaced in its place, or added at the end")
    func order() {
        var properties: Properties = [.topicAlias(1), .userProperty(name: "a", value: "b"), .contentType("x")]
        properties.topicAlias = 7
        properties.responseTopic = "r"
        properties.contentType = nil
        #expect(properties == [.topicAlias(7), .userProperty(name: "a", value: "b"), .responseTopic("r")])
        #expect(properties.topicAlias == 7)
        #expect(properties.contentType == nil)
    }

    @Test func repeated() {
        var properties: Properties = [.subscriptionIdentifier(1), .subscriptionIdentifier(2)]
        properties.userProperties = [("k", "1"), ("k", "2")]
        #expect(properties.subscriptionIdentifiers == [1, 2])
        #expect(properties.userProperties.map(\.value) == ["1", "2"])
        properties.subscriptionIdentifiers = [3]
        #expect(
            properties == [
                .userProperty(name: "k", value: "1"), .userProperty(name: "k", value: "2"), .subscriptionIdentifier(3),
            ])
    }

    /// One property of each kind, with the bytes of its value.
    private static let samples: [(Property, Bytes)] = [
        (.payloadFormatIndicator(true), "01"), (.messageExpiryInterval(1), "00000001"), (.contentType("a"), "<'a'>"),
        (.responseTopic("a"), "<'a'>"), (.correlationData(ByteBuffer(bytes: [0])), "<00>"),
        (.subscriptionIdentifier(128), "8001"), (.sessionExpiryInterval(.max), "FFFFFFFF"),
        (.assignedClientIdentifier("a"), "<'a'>"), (.serverKeepAlive(10), "000A"),
        (.authenticationMethod("a"), "<'a'>"),
        (.authenticationData(ByteBuffer(bytes: [0])), "<00>"), (.requestProblemInformation(false), "00"),
        (.willDelayInterval(1), "00000001"), (.requestResponseInformation(true), "01"),
        (.responseInformation("a"), "<'a'>"), (.serverReference("a"), "<'a'>"), (.reasonString("a"), "<'a'>"),
        (.receiveMaximum(1), "0001"), (.topicAliasMaximum(0), "0000"), (.topicAlias(1), "0001"),
        (.maximumQoS(.atMostOnce), "00"), (.retainAvailable(true), "01"),
        (.userProperty(name: "a", value: "b"), "<'a'> <'b'>"), (.maximumPacketSize(1), "00000001"),
        (.wildcardSubscriptionAvailable(true), "01"), (.subscriptionIdentifiersAvailable(true), "01"),
        (.sharedSubscriptionAvailable(true), "01"),
    ]

    @Test("there are 27 properties, and each is in the samples")
    func complete() {
        #expect(PropertyIdentifier.allCases.count == 27)
        #expect(Set(Self.samples.map(\.0.identifier)) == Set(PropertyIdentifier.allCases))
    }

    /// Table 2-4 of the specification: the packets in which each property is allowed.
    private static let allowed: [PropertyIdentifier: Set<PropertyHolder>] = [
        .payloadFormatIndicator: [.publish, .will], .messageExpiryInterval: [.publish, .will],
        .contentType: [.publish, .will], .responseTopic: [.publish, .will], .correlationData: [.publish, .will],
        .subscriptionIdentifier: [.publish, .subscribe], .sessionExpiryInterval: [.connect, .connack, .disconnect],
        .assignedClientIdentifier: [.connack], .serverKeepAlive: [.connack],
        .authenticationMethod: [.connect, .connack, .auth], .authenticationData: [.connect, .connack, .auth],
        .requestProblemInformation: [.connect], .willDelayInterval: [.will], .requestResponseInformation: [.connect],
        .responseInformation: [.connack], .serverReference: [.connack, .disconnect],
        .reasonString: [.connack, .puback, .pubrec, .pubrel, .pubcomp, .suback, .unsuback, .disconnect, .auth],
        .receiveMaximum: [.connect, .connack], .topicAliasMaximum: [.connect, .connack], .topicAlias: [.publish],
        .maximumQoS: [.connack], .retainAvailable: [.connack], .userProperty: Set(PropertyHolder.allCases),
        .maximumPacketSize: [.connect, .connack], .wildcardSubscriptionAvailable: [.connack],
        .subscriptionIdentifiersAvailable: [.connack], .sharedSubscriptionAvailable: [.connack],
    ]

    private static func type(_ holder: PropertyHolder) -> PacketType {
        PacketType.allCases.first { PropertyHolder($0) == holder } ?? .connect
    }

    @Test("each property in each packet: table 2-4", arguments: PropertyHolder.allCases)
    func holders(_ holder: PropertyHolder) throws {
        let type = Self.type(holder)
        for (property, value) in Self.samples {
            let identifier = try #require(property.identifier)
            let once = [identifier.rawValue] + value.array
            let isAllowed = Self.allowed[identifier]?.contains(holder) == true
            var reader = PacketReader(
                ByteBuffer(bytes: [UInt8(once.count)] + once), type: type, version: .v5_0)
            if isAllowed {
                #expect(try reader.properties(isWill: holder == .will) == Properties([property]))
                #expect(try Properties([property]).encode(for: holder, in: type) == ByteBuffer(bytes: once))
            } else {
                let error = #expect(throws: MQTTError.self) { try reader.properties(isWill: holder == .will) }
                #expect(error?.clause == "MQTT 5 2.2.2.2")
                #expect(throws: MQTTError.self) { try Properties([property]).encode(for: holder, in: type) }
            }
            guard isAllowed else { continue }
            var twice = PacketReader(
                ByteBuffer(bytes: [UInt8(2 * once.count)] + once + once), type: type, version: .v5_0)
            if holder.allowsRepeated(identifier) {
                #expect(try twice.properties(isWill: holder == .will) == Properties([property, property]))
            } else {
                let error = #expect(throws: MQTTError.self) { try twice.properties(isWill: holder == .will) }
                #expect(error?.kind == .protocolError)
            }
        }
    }

    @Test("values that no packet may have are not encoded")
    func unwritable() {
        for property: Property in [.topicAlias(0), .subscriptionIdentifier(0), .subscriptionIdentifier(268_435_456)] {
            #expect(throws: MQTTError.self) {
                try PublishHead(topic: "a", properties: [property]).encode(version: .v5_0, payloadLength: 0)
            }
        }
        for property: Property in [
            .receiveMaximum(0), .maximumPacketSize(0), .maximumQoS(.exactlyOnce), .reasonString("\0"),
        ] {
            #expect(throws: MQTTError.self) { try Connack(properties: [property]).encode(version: .v5_0) }
        }
    }

    @Test("properties are left out before MQTT 5")
    func version3() throws {
        let head = PublishHead(topic: "a", properties: [.topicAlias(1)])
        #expect([UInt8](buffer: try head.encode(version: .v3_1_1, payloadLength: 0)) == Bytes("30 [ <'a'> ]").array)
    }

    private static let expiry: Properties = [
        .userProperty(name: "k", value: "v"), .topicAlias(1), .subscriptionIdentifier(200),
        .correlationData(ByteBuffer(bytes: [2, 0, 0, 0, 9])), .messageExpiryInterval(60), .contentType("c"),
    ]

    @Test(arguments: [QoS.atMostOnce, .atLeastOnce, .exactlyOnce])
    func theExpiryOfAMessageIsChangedInItsPlace(_ qos: QoS) throws {
        var head = PublishHead(
            qos: qos, topic: String(repeating: "t", count: 200), packetID: qos == .atMostOnce ? nil : 7,
            properties: Self.expiry)
        var bytes = ByteBuffer(string: "before")
        bytes.writeImmutableBuffer(try head.encode(version: .v5_0, payloadLength: 3))
        bytes.writeString("abc")
        bytes.moveReaderIndex(forwardBy: 6)
        let field = try #require(MessageExpiryField(in: bytes))
        #expect(field.interval == 60)
        field.set(0x0102_0304, in: &bytes)
        head.properties.messageExpiryInterval = 0x0102_0304
        var expected = try head.encode(version: .v5_0, payloadLength: 3)
        expected.writeString("abc")
        #expect(bytes == expected)
        // Cut anywhere, or damaged anywhere, it is found or not.
        for end in 0..<bytes.readableBytes {
            let cut = try #require(bytes.getSlice(at: bytes.readerIndex, length: end))
            #expect(
                MessageExpiryField(in: cut) == (end < bytes.readableBytes - 3 ? nil : MessageExpiryField(in: bytes)))
            var damaged = bytes
            damaged.setInteger(UInt8(0xFF), at: bytes.readerIndex + end)
            MessageExpiryField(in: damaged)?.set(0, in: &damaged)
            #expect(damaged.readableBytes == bytes.readableBytes)
        }
    }

    @Test func aMessageWithoutExpiry() throws {
        for properties: Properties in [[], [.contentType("c")]] {
            let head = PublishHead(topic: "t", properties: properties)
            #expect(MessageExpiryField(in: try head.encode(version: .v5_0, payloadLength: 0)) == nil)
        }
        #expect(MessageExpiryField(in: try Packet.pingreq.encode(version: .v5_0)) == nil)
        #expect(MessageExpiryField(in: ByteBuffer()) == nil)
    }
}
