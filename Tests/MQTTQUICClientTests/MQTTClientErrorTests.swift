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

    @Test(
        "An event is a line that can be read",
        arguments: [
            (
                MQTTClientEvent.disconnected(.sessionTakenOver, retryIn: .seconds(5)),
                "disconnected, next try in 5.0 seconds: another client has connected with the same client identifier: give each client one of its own"
            ),
            (.disconnected(.cancelled, retryIn: nil), "disconnected: the task was cancelled"),
            (.moved(to: "192.0.2.7:4000"), "moved to 192.0.2.7:4000"), (.closed, "closed"),
        ])
    func event(event: MQTTClientEvent, text: String) {
        #expect(event.description == text)
    }
}
