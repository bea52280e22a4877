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
                .handshakeTimedOut(address: "b.example:14567", after: .nanoseconds(4_994_238_777)),
                "the handshake with b.example:14567 did not finish within 5 s: check that a broker with QUIC is there"
            ),
            (
                .timedOut(operation: "the request", after: .milliseconds(1_540)),
                "the request did not finish within 1.5 s"
            ),
            (
                .timedOut(operation: "connecting", after: .microseconds(20_400)),
                "connecting did not finish within 20 ms"
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
                "disconnected, next try in 5 s: another client has connected with the same client identifier: give each client one of its own"
            ),
            (.disconnected(.cancelled, retryIn: nil), "disconnected: the task was cancelled"),
            (.moved(to: "192.0.2.7:4000"), "moved to 192.0.2.7:4000"), (.closed, "closed"),
            (
                .subscriptionRefused(filter: "a/#", .notAuthorized, reason: "no"),
                "the broker did not grant a/# again: not authorized (0x87), \"no\""
            ),
        ])
    func event(event: MQTTClientEvent, text: String) {
        #expect(event.description == text)
    }
}
