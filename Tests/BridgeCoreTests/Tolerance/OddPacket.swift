import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// One packet of a device that is not as the specification has it.
struct OddPacket: Sendable, CustomTestStringConvertible {
    let name: String
    let version: MQTTVersion
    let bytes: [UInt8]

    var testDescription: String { "\(version): \(name)" }
    var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

    /// The packets whose bytes are the same in all versions.
    private static func all(_ name: String, _ bytes: [UInt8]) -> [OddPacket] {
        MQTTVersion.allCases.map { OddPacket(name: name, version: $0, bytes: bytes) }
    }

    private static func old(_ name: String, _ bytes: [UInt8]) -> [OddPacket] {
        [OddPacket(name: name, version: .v3_1_1, bytes: bytes)]
    }

    private static func new(_ name: String, _ bytes: [UInt8]) -> [OddPacket] {
        [OddPacket(name: name, version: .v5_0, bytes: bytes)]
    }

    /// What a connected device may send and the broker judges.
    static let connected: [OddPacket] =
        all("PINGREQ with flags", [0xC1, 0]) + all("PINGREQ with a body", [0xC0, 1, 0])
        + all("CONNACK of a device", [0x20, 2, 0, 0]) + all("SUBACK of a device", [0x90, 3, 0, 1, 0])
        + all("UNSUBACK of a device", [0xB0, 2, 0, 1]) + all("PINGRESP of a device", [0xD0, 0])
        + all("CONNECT again", [0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x61])
        + all("PUBACK with flags", [0x42, 2, 0, 1]) + all("PUBREC with flags", [0x51, 2, 0, 1])
        + all("PUBREL without flags", [0x60, 2, 0, 1]) + all("PUBCOMP with flags", [0x73, 2, 0, 1])
        + all("PUBREL that is long", [0x62, 9, 0, 1, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67])
        + all("PUBACK of nothing", [0x40, 0]) + all("PUBACK 0", [0x40, 2, 0, 0]) + all("PUBREL 0", [0x62, 2, 0, 0])
        + all("SUBSCRIBE without a byte", [0x82, 0]) + all("SUBSCRIBE without a filter", [0x82, 2, 0, 1])
        + all("UNSUBSCRIBE without a filter", [0xA2, 2, 0, 1])
        + all("DISCONNECT with flags", [0xE1, 0]).filter { $0.version != .v3_1 }
        + all("AUTH", [0xF0, 2, 0x18, 0]) + all("PUBLISH of nothing", [0x30, 0])
        + all("PUBLISH of QoS 3", [0x36, 5, 0, 1, 0x61, 0, 1])
        + all("PUBLISH with a topic that is cut off", [0x30, 4, 0, 9, 0x61, 0x62])
        + old("PUBLISH with DUP at QoS 0", [0x38, 4, 0, 1, 0x61, 0x78])
        + old("PUBLISH with packet id 0", [0x32, 6, 0, 1, 0x61, 0, 0, 0x78])
        + old("PUBLISH to a wildcard", [0x30, 4, 0, 1, 0x23, 0x78])
        + old("PUBLISH to what is no UTF-8", [0x30, 4, 0, 1, 0xFF, 0x78])
        + old("SUBSCRIBE with reserved bits", [0x82, 6, 0, 1, 0, 1, 0x61, 0xFD])
        + old("SUBSCRIBE with other flags", [0x80, 6, 0, 1, 0, 1, 0x61, 0])
        + old("SUBSCRIBE with packet id 0", [0x82, 6, 0, 0, 0, 1, 0x61, 0])
        + old("SUBSCRIBE for QoS 3", [0x82, 6, 0, 1, 0, 1, 0x61, 3])
        + old("DISCONNECT with a body", [0xE0, 4, 0x61, 0x62, 0x63, 0x64])
        + new("PUBLISH with Payload Format Indicator 2", [0x30, 6, 0, 1, 0x61, 2, 1, 2])
        + new("PUBLISH with a property twice", [0x30, 8, 0, 1, 0x61, 4, 1, 0, 1, 0])
        + new("PUBLISH with topic alias 0", [0x30, 7, 0, 1, 0x61, 3, 0x23, 0, 0])
        + new("PUBLISH with a wildcard to answer to", [0x30, 8, 0, 1, 0x61, 4, 8, 0, 1, 0x23])
        + new("PUBLISH with the property of another packet", [0x30, 6, 0, 1, 0x61, 2, 0x17, 1])
        + new("PUBLISH with properties that run past its end", [0x30, 4, 0, 1, 0x61, 0x7F])
        + new("SUBSCRIBE with reserved bits", [0x82, 7, 0, 1, 0, 0, 1, 0x61, 0xC0])
        + new("SUBSCRIBE with Retain Handling 3", [0x82, 7, 0, 1, 0, 0, 1, 0x61, 0x30])
        + new("SUBSCRIBE with No Local, shared", [0x82, 14, 0, 1, 0, 0, 8] + Array("$share/g".utf8) + [4])
        + new("UNSUBSCRIBE of an empty filter", [0xA2, 5, 0, 1, 0, 0, 0])
        + new("PUBACK with an unknown code", [0x40, 3, 0, 1, 0x7F])
        + new("DISCONNECT with an unknown code", [0xE0, 1, 1])

    /// A CONNECT that can be read as far as needed.
    static let connects: [OddPacket] =
        old("CONNECT with flags", [0x11, 13] + connect(4, 2) + [0, 1, 0x61])
        + old("CONNECT with the reserved flag", [0x10, 13] + connect(4, 3) + [0, 1, 0x61])
        + old("CONNECT with a will's QoS alone", [0x10, 13] + connect(4, 0x0A) + [0, 1, 0x61])
        + old("CONNECT with a password alone", [0x10, 16] + connect(4, 0x42) + [0, 1, 0x61, 0, 1, 0x70])
        + old("CONNECT with bytes behind it", [0x10, 15] + connect(4, 2) + [0, 1, 0x61, 0, 0])
        + old("CONNECT with a will to a wildcard", [0x10, 18] + connect(4, 6) + [0, 1, 0x61, 0, 1, 0x23, 0, 0])
        + new(
            "CONNECT with Authentication Data alone", [0x10, 18] + connect(5, 2) + [4, 0x16, 0, 1, 0x78, 0, 1, 0x61])
        + new(
            "CONNECT with a property twice",
            [0x10, 20] + connect(5, 2) + [6, 0x21, 0, 1, 0x21, 0, 2, 0, 1, 0x61])
        + new("CONNECT with a property that nobody knows", [0x10, 16] + connect(5, 2) + [2, 0x7E, 1, 0, 1, 0x61])

    /// A CONNECT that can't be read.
    static let unreadableConnects: [OddPacket] =
        old("CONNECT of nothing", [0x10, 0]) + old("CONNECT without a client id", [0x10, 10] + connect(4, 2))
        + old("CONNECT of level 6", [0x10, 13] + connect(6, 2) + [0, 1, 0x61])
        + old("CONNECT with a client id that is no UTF-8", [0x10, 13] + connect(4, 2) + [0, 1, 0xFF])
        + old("CONNECT with a will of QoS 3", [0x10, 18] + connect(4, 0x1E) + [0, 1, 0x61, 0, 1, 0x77, 0, 0])
        + new("CONNECT with properties that run past its end", [0x10, 14] + connect(5, 2) + [0x7F, 0, 1, 0x61])

    private static func connect(_ level: UInt8, _ flags: UInt8) -> [UInt8] {
        [0, 4, 0x4D, 0x51, 0x54, 0x54, level, flags, 0, 60]
    }
}

extension SessionBench {
    /// The bytes as the driver's decoder would hand them over.
    mutating func device(_ bytes: [UInt8], afterConnect: Bool = true) throws -> [SessionAction] {
        let version = afterConnect ? self.version : nil
        let frame = try Frame(packet: ByteBuffer(bytes: bytes), version: version, reading: session.reading.device)
        let actions = session.deviceSent(.packet(frame))
        return actions.takesClientID ? actions + session.clientIDTaken(.none) : actions
    }

    mutating func broker(_ bytes: [UInt8]) throws -> [SessionAction] {
        let reading = session.reading.uplink
        return session.uplinkSent(
            .packet(try Frame(packet: ByteBuffer(bytes: bytes), version: version, reading: reading)))
    }
}
