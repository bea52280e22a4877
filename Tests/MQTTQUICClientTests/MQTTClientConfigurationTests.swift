import MQTTQUICClient
import Testing

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
}
