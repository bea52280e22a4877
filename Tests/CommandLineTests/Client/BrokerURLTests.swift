import Testing

@testable import mqtt_quic_bridge

struct BrokerURLTests {
    struct Parts: Sendable {
        var host: String
        var port: Int?
        var username: String?
        var password: String?
        var topic: String
    }

    @Test(arguments: [
        ("mqtt-quic://h/t", Parts(host: "h", topic: "t")),
        ("MQTTS://h:1/a/b/#", Parts(host: "h", port: 1, topic: "a/b/#")),
        ("mqtt://u@h/t", Parts(host: "h", username: "u", topic: "t")),
        ("mqtt-quic://u:p@h:2/t", Parts(host: "h", port: 2, username: "u", password: "p", topic: "t")),
        ("mqtt-quic://u:p:q@r@h/t", Parts(host: "h", username: "u", password: "p:q@r", topic: "t")),
        ("mqtt-quic://u%40x:%2F%25%3a@h/t%20", Parts(host: "h", username: "u@x", password: "/%:", topic: "t%20")),
        ("mqtt-quic://[::1]:5//t", Parts(host: "::1", port: 5, topic: "/t")),
        ("mqtt-quic://[::1]/t", Parts(host: "::1", topic: "t")),
        ("mqtt-quic://u:@h/t@x", Parts(host: "h", username: "u", password: "", topic: "t@x")),
        ("mqtt-quic://h/t@x", Parts(host: "h", topic: "t@x")),
    ])
    func parts(text: String, expected: Parts) throws {
        let url = try BrokerURL(parsing: text)
        #expect(url.host == expected.host && url.port == expected.port && url.topic == expected.topic)
        #expect(url.username == expected.username && url.password == expected.password)
    }

    @Test(arguments: [
        ("h/t", "it must begin with mqtt-quic://"), ("http://h/t", "the scheme \"http\" is not known"),
        ("mqtt-quic://h", "the topic is missing"), ("mqtt-quic://h/", "the topic is missing"),
        ("mqtt-quic:///t", "the host is missing"), ("mqtt-quic://u@/t", "the host is missing"),
        ("mqtt-quic://h:x/t", "is not a UDP port"), ("mqtt-quic://h:0/t", "is not a UDP port"),
        ("mqtt-quic://h:65536/t", "is not a UDP port"), ("mqtt-quic://::1/t", "goes in brackets"),
        ("mqtt-quic://u:%4@h/t", "two hexadecimal digits"), ("mqtt-quic://u:%+1@h/t", "two hexadecimal digits"),
        ("mqtt-quic://u%FF@h/t", "the user name is not UTF-8"), ("mqtt-quic://a b/t", "is not a host name"),
        ("mqtt-quic://u:p/q@h:1/t", "a / in a password is written as %2F"),
        ("mqtt://u:12/34@h/t", "a / in a password is written as %2F"),
        ("mqtt://h:1883/user@x", "a topic with an @ is given with -t"),
    ])
    func errorsSayWhatWouldBeRight(text: String, words: String) {
        let error = #expect(throws: UsageError.self) { try BrokerURL(parsing: text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func errorsDoNotShowAPassword() {
        for text in [
            "u:secret@h/t", "mqtt-quic://u:secret%@h/t", "mqtt-quic://u:secret@h:x/t", "http://u:secret@h/t",
            "mqtt://u:secret/x@h/t", "mqtt://u:12/secret@h/t",
        ] {
            let error = #expect(throws: UsageError.self) { try BrokerURL(parsing: text) }
            #expect(error?.description.contains("secret") == false)
        }
    }
}
