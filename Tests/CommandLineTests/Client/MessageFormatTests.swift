import NIOCore
import Testing

@testable import mqtt_quic_bridge

struct MessageFormatTests {
    private static var message: ReceivedMessage {
        var message = ReceivedMessage(topic: "ok/r", payload: ByteBuffer(string: "{\"a\": [1, 2.50]}"))
        message.qos = 1
        message.isRetained = true
        message.packetID = 7
        message.properties.payloadFormat = 1
        message.properties.expiry = 99
        message.properties.contentType = "text/plain"
        message.properties.responseTopic = "r/t"
        message.properties.correlationData = Array("abc".utf8)
        message.properties.userProperties = [.init(name: "k", value: "v"), .init(name: "k2", value: "v 2")]
        return message
    }

    private static let time = MessageTime(seconds: 1_795_955_041, nanoseconds: 61_626_941)

    private static func render(_ format: String, _ message: ReceivedMessage = message) throws -> String {
        var output = ByteBuffer()
        try MessageFormat(parsing: format).render(message, at: time, into: &output)
        return String(buffer: output)
    }

    /// What mosquitto_sub 2.0.11 prints for the same message and format.
    @Test(arguments: [
        ("%t", "ok/r"), ("%10t|", "      ok/r|"), ("%-10t|", "ok/r      |"), ("%0t", "ok/r"),
        ("%5.2t|", "   ok|"), ("%05.2t|%-5.2t|", "   ok|ok   |"), ("%.t|%l", "|16"),
        ("%010l|%-10l|%-010l|", "0000000016|16        |16        |"), ("%5.l|", "   16|"),
        ("%p", "{\"a\": [1, 2.50]}"), ("%5p|%-5p|", "{\"a\":|{\"a\":|"), ("%20p|", "    {\"a\": [1, 2.50]}|"),
        ("%.3p|", "{\"a\": [1, 2.50]}|"), ("%10x|%010X|%-9x|%3x", "7b2261223a|7B2261223A|7b226122 | 7b"),
        ("%A|%5A|%05A", "|     |00000"),
        ("%C|%20C|%-20C|%.3C|%5.3C", "text/plain|          text/plain|text/plain          |tex|  tex"),
        ("%D|%5D", "abc|abc"), ("%E|%F|%5F|%05F|%m|%5m", "99|1|    1|00001|7|    7"), ("%P", "k:v k2:v 2"),
        ("%q %r %R %3.2R", "1 1 r/t  r/"), ("%S|%4S|", "|    |"), ("%5%", "%"), ("%5q|%5r", "1|1"),
        ("%U", "1795955041.061626941"), ("@N @@", "061626941 @"),
        ("\\\\\\0\\a\\e\\n\\r\\t\\v", "\\\0\u{7}\u{1B}\n\r\t\u{B}"),
        ("é%t", "éok/r"), ("", ""), ("plain", "plain"),
    ])
    func fields(format: String, expected: String) throws {
        #expect(try Self.render(format) == expected)
    }

    @Test func fieldsWithoutAValueAreEmpty() throws {
        let message = ReceivedMessage(topic: "t", payload: ByteBuffer())
        #expect(try Self.render("%A%C%D%E%F%P%R%S|%m %q %r %l|%5R|%p%x", message) == "|0 0 0 0||")
        #expect(try Self.render("%4C|%4p|%04x", message) == "    |    |0000")
    }

    /// mosquitto_sub cuts a payload that is shorter than the field in half.
    @Test func aShortPayloadFillsItsFieldInHexadecimal() throws {
        let message = ReceivedMessage(topic: "t", payload: ByteBuffer(string: "abc"))
        #expect(try Self.render("%10x|%-8X|", message) == "    616263|616263  |")
    }

    @Test func everySubscriptionIdentifierIsANumber() throws {
        var message = Self.message
        message.properties.subscriptionIdentifiers = [5, 268_435_455]
        message.properties.topicAlias = 3
        #expect(try Self.render("%S %03A", message) == "5 003")
    }

    @Test func theLocalTime() throws {
        let text = try Self.render("%I|@Y-@m-@dT@H:@M:@S@z")
        let parts = text.split(separator: "|")
        #expect(parts.count == 2 && parts[0] == parts[1])
        #expect(text.contains(/^20\d\d-11-\d\dT\d\d:\d\d:\d\d[+-]\d{4}\|/))
        #expect(try Self.render("%.4I") == "2026")
        #expect(try Self.render("%30I").count == 30)
    }

    @Test func payloadsAreWrittenByteForByte() throws {
        let bytes: [UInt8] = [0, 0xFF, 0x0A, 0x80]
        var output = ByteBuffer()
        let message = ReceivedMessage(topic: "t", payload: ByteBuffer(bytes: bytes))
        try MessageFormat(parsing: "%p|%x").render(message, at: Self.time, into: &output)
        #expect(Array(output.readableBytesView) == bytes + Array("|00ff0a80".utf8))
    }

    @Test(arguments: [
        ("%", "\"%\" at byte 1 is incomplete"), ("a%5", "\"%5\" at byte 2 is incomplete"),
        ("%-", "incomplete"), ("%0", "incomplete"), ("%5.", "incomplete"), ("@", "\"@\" at byte 1 is incomplete"),
        ("\\", "incomplete"), ("%z", "\"%z\" at byte 1 is not a field; the fields are %% %A %C"),
        ("t %0-5t", "\"%0-\" at byte 3 is not a field"), ("\\x", "\"\\x\" at byte 1 is not an escape"),
        ("@é", "is not a part of a time"), ("%99999t", "is wider than 65535"), ("%5.99999999999999999999t", "is wider"),
    ])
    func errorsSayWhatAndWhere(format: String, words: String) {
        let error = #expect(throws: MessageFormat.ParseError.self) { try MessageFormat(parsing: format) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func aPayloadThatIsNotJSONLeavesTheRest() throws {
        let message = ReceivedMessage(topic: "t", payload: ByteBuffer(string: "{\"a\":}"))
        var output = ByteBuffer()
        let format = try MessageFormat(parsing: "%t|%J|%l")
        let error = #expect(throws: MessageFormat.PayloadError.self) {
            try format.render(message, at: Self.time, into: &output)
        }
        #expect(error?.problem.description == "at byte 6, a value was expected")
        #expect(String(buffer: output) == "t||6")
    }
}
