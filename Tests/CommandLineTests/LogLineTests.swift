import BridgeCore
import Foundation
import Logging
import Testing

@testable import mqtt_quic_bridge

struct LogLineTests {
    private static let time = Timestamp(milliseconds: 1_795_509_000_123)

    private static func text(_ message: String = "m", _ metadata: Logger.Metadata = [:]) -> String {
        LogLine.render(.text, time: time, level: .info, message: message, metadata: metadata)
    }

    private static func json(_ message: String = "m", _ metadata: Logger.Metadata = [:]) -> String {
        LogLine.render(.json, time: time, level: .warning, message: message, metadata: metadata)
    }

    @Test func text() {
        let metadata: Logger.Metadata = ["port": .stringConvertible(1_883), "address": "127.0.0.1:1883", "a b": ""]
        #expect(
            Self.text("listening", metadata)
                == "2026-11-24T08:30:00.123Z info listening \"a b\"=\"\" address=127.0.0.1:1883 port=1883\n")
    }

    @Test func json() {
        let metadata: Logger.Metadata = [
            "leg": "device", "rtt": .stringConvertible(1.5), "count": .stringConvertible(3),
            "ok": .stringConvertible(true),
            "list": ["a", "b"], "map": ["y": "2", "x": "1"], "level": "mine", "name": .stringConvertible(Secret("p")),
        ]
        #expect(
            Self.json("listening", metadata)
                == "{\"time\":\"2026-11-24T08:30:00.123Z\",\"level\":\"warning\",\"message\":\"listening\",\"count\":3,"
                + "\"leg\":\"device\",\"level_\":\"mine\",\"list\":[\"a\",\"b\"],\"map\":{\"x\":\"1\",\"y\":\"2\"},"
                + "\"name\":\"********\",\"ok\":true,\"rtt\":1.5}\n")
    }

    /// Text that a device may send as its client id.
    private static let hostile = [
        "a\nb", "a\r\nb", "a\u{1B}[31mb", "a\u{0}b", "a\u{9B}b", "a\u{2028}b", "a\u{85}b", "a\u{202E}b", "a\"b", "a\\b",
        "a=b", "a b", "", "é", "\u{1F600}", "a\u{E0001}b", "\u{FEFF}", String(repeating: "x", count: 70_000),
    ]

    @Test(arguments: hostile)
    func aValueStaysInItsLine(_ value: String) throws {
        for line in [
            Self.text("m", ["id": .string(value)]), Self.text(value), Self.json("m", ["id": .string(value)]),
            Self.json(value), Self.json("m", [value: "x"]), Self.text("m", [value: "x"]),
        ] {
            #expect(line.hasSuffix("\n"))
            #expect(line.utf8.count < 4_096)
            for scalar in line.unicodeScalars.dropLast() {
                #expect(scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value))
                #expect(![.format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory))
            }
        }
    }

    @Test(arguments: hostile.dropLast())
    func jsonCarriesTheValue(_ value: String) throws {
        let line = Self.json("m", ["id": .string(value)])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["id"] as? String == value)
    }

    @Test func escapes() {
        #expect(Self.text("m", ["id": "a\nlevel=info \"x\""]).hasSuffix("m id=\"a\\nlevel=info \\\"x\\\"\"\n"))
        #expect(Self.text("m", ["id": "\u{1B}"]).hasSuffix("m id=\"\\u{1b}\"\n"))
        #expect(Self.json("m", ["id": "\u{E0001}"]).hasSuffix("\"id\":\"\\udb40\\udc01\"}\n"))
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (1_735_689_599_007, "2024-12-31T23:59:59.007Z"),
    ])
    func timestamp(_ milliseconds: Int64, _ expected: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == expected)
    }
}
