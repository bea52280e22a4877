import Testing

@testable import MQTTQUICClient

struct MQTTClientConfigurationTests {
    @Test("However a configuration is printed, the password does not appear")
    func secrets() throws {
        var configuration = MQTTClientConfiguration(host: "broker.example")
        configuration.credentials = .init(username: "device-7", password: "s3cret")
        var dumped = ""
        dump(configuration, to: &dumped)
        let bytes = Array("s3cret".utf8).map { "\($0)" }.joined(separator: ", ")
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(text.contains("device-7"))
            #expect(!text.contains("s3cret") && !text.contains(bytes) && !text.contains("115"))
        }
    }

    private typealias Change = (inout MQTTClientConfiguration) -> Void

    @Test("What no broker can be reached with is refused by name, before anything is dialed")
    func refused() async {
        let cases: [(Change, String)] = [
            ({ $0.host = "" }, "host is empty: give the broker's name or address"),
            ({ $0.port = 70_000 }, "port is 70000: use 1 to 65535"),
            ({ $0.port = 0 }, "port is 0: use 1 to 65535"),
            ({ $0.fallback = .init(port: -1) }, "fallback.port is -1: use 1 to 65535"),
            (
                { $0.fallback = .init(host: "") },
                "fallback.host is empty: give a name or an address, or nil for the same host"
            ),
            ({ $0.alpn = "" }, "alpn has 0 bytes: use 1 to 255, such as \"mqtt\""),
            ({ $0.receiveMaximum = 0 }, "receiveMaximum is 0: use 1 to 65535"),
            ({ $0.maximumPacketSize = 0 }, "maximumPacketSize is 0: use 1 or more bytes"),
            ({ $0.dataStreams = .max }, "dataStreams is 9223372036854775807: use 0 to 1024"),
            ({ $0.dataStreams = -1 }, "dataStreams is -1: use 0 to 1024"),
        ]
        for (change, text) in cases {
            var configuration = MQTTClientConfiguration(host: "127.0.0.1")
            change(&configuration)
            let client = MQTTClient(configuration)
            await #expect(throws: MQTTClientError.invalidArgument(text)) { try await client.connect() }
        }
    }

    @Test("Times of any length are carried out as far as they can be")
    func longTimes() {
        var configuration = MQTTClientConfiguration(host: "127.0.0.1")
        configuration.keepAlive = .seconds(Int64.max)
        configuration.handshakeTimeout = .seconds(Int64.max)
        configuration.connectTimeout = .seconds(Int64.max)
        let quic = LinkSettings(configuration).quic(handshakeTimeout: .seconds(5))
        #expect(quic.idleTimeout == .seconds(65_535) * 3 / 2 + .seconds(10))
    }
}
