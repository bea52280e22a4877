import MQTTQUICClient
import Testing

struct MQTTClientErrorTests {
    @Test(
        "An error says what happened and what can be done",
        arguments: [
            (
                MQTTClientError.refused(.badUserNameOrPassword, reason: nil, serverReference: nil),
                "the broker refused the connection: bad user name or password (0x86): check the user name, the password and the client identifier"
            ),
            (
                .disconnectedByBroker(.serverMoved, reason: "gone", serverReference: "b.example"),
                "the broker ended the connection: server moved (0x9D), \"gone\", it names another server: b.example"
            ),
            (
                .rejected(MQTTReasonCode(rawValue: 0xEE), reason: nil),
                "the broker did not accept this: reason code 0xEE"
            ),
        ])
    func description(error: MQTTClientError, text: String) {
        #expect(error.description == text)
    }
}
