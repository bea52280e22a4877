import Foundation
import MQTTQUICClient
import NIOCore
import Testing

/// The client library against real brokers behind QUIC servers that are not its own.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ClientTests {
    @Test(
        "Messages of every QoS go both ways",
        arguments: [FarEnd.Kind.front, .serve], [MQTTVersion.v3_1_1, .v5_0])
    func bothWays(kind: FarEnd.Kind, version: MQTTVersion) async throws {
        try await ClientScenario.run(kind) { scenario in
            let observer = try await scenario.observer("up/#")
            var configuration = scenario.configuration("client-1")
            configuration.version = version
            try await MQTTClient.withClient(configuration) { client in
                let messages = try await client.subscribe(to: [MQTTSubscription("down/#", qos: .exactlyOnce)])
                #expect(messages.granted == [.grantedQoS2])
                var iterator = messages.makeAsyncIterator()
                for qos in MQTTQoS.allCases {
                    try await client.publish(MQTTMessage(topic: "up/\(qos.rawValue)", text: "hello", qos: qos))
                    #expect(try await observer.message(on: "up/\(qos.rawValue)").text == "hello")
                    try await observer.publish("down/\(qos.rawValue)", "answer", qos: Int(qos.rawValue))
                    let message = try await iterator.next()
                    #expect(message?.topic == "down/\(qos.rawValue)")
                    #expect(message?.text == "answer")
                    #expect(message?.qos == qos)
                }
            }
        }
    }

    @Test("A megabyte goes up and comes back", arguments: [FarEnd.Kind.front, .serve])
    func megabyte(kind: FarEnd.Kind) async throws {
        try await ClientScenario.run(kind) { scenario in
            try await MQTTClient.withClient(scenario.configuration("client-1")) { client in
                let messages = try await client.subscribe(to: [MQTTSubscription("echo", qos: .exactlyOnce)])
                let payload = ByteBuffer(bytes: (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) })
                var iterator = messages.makeAsyncIterator()
                for qos in MQTTQoS.allCases {
                    try await client.publish(MQTTMessage(topic: "echo", payload: payload, qos: qos))
                    #expect(try await iterator.next()?.payload == payload)
                }
            }
        }
    }

    @Test("A retained message is there for a later subscriber, with its properties")
    func retained() async throws {
        try await ClientScenario.run(.serve) { scenario in
            var properties = MQTTMessageProperties()
            properties.contentType = "application/json"
            properties.payloadFormat = .text
            properties.userProperties = [MQTTUserProperty("unit", "°C"), MQTTUserProperty("unit", "K")]
            let message = MQTTMessage(
                topic: "kept", text: "{}", qos: .atLeastOnce, isRetained: true, properties: properties)
            try await MQTTClient.withClient(scenario.configuration("writer")) { try await $0.publish(message) }
            try await MQTTClient.withClient(scenario.configuration("reader")) { client in
                let messages = try await client.subscribe(to: [MQTTSubscription("kept")])
                var iterator = messages.makeAsyncIterator()
                let received = try await iterator.next()
                #expect(received?.isRetained == true)
                #expect(received?.properties == properties)
            }
        }
    }

    @Test("A wrong password is an error that says so, and a broker that assigns an identifier is asked for it")
    func connectAnswers() async throws {
        var options = ClientScenario.Options()
        options.broker.users = ["device": "secret"]
        try await ClientScenario.run(.serve, options) { scenario in
            var configuration = scenario.configuration("")
            configuration.credentials = .init(username: "device", password: "wrong")
            await #expect(throws: MQTTClientError.refused(.notAuthorized, reason: nil, serverReference: nil)) {
                try await MQTTClient(configuration).connect()
            }
            configuration.credentials = .init(username: "device", password: "secret")
            let client = MQTTClient(configuration)
            let answer = try await client.connect()
            #expect(answer.isClientIDAssigned)
            #expect(!answer.clientID.isEmpty)
            #expect(answer.transport == .quic)
            await client.disconnect()
        }
    }

    @Test("A will comes when it is asked for, and not at an end in good order", arguments: [true, false])
    func will(wanted: Bool) async throws {
        try await ClientScenario.run(.front) { scenario in
            let observer = try await scenario.observer("will", "end")
            var configuration = scenario.configuration("client-1")
            configuration.will = MQTTWill(MQTTMessage(topic: "will", text: "gone", qos: .atLeastOnce))
            let client = MQTTClient(configuration)
            try await client.connect()
            await client.disconnect(reason: wanted ? .disconnectWithWill : .success)
            if !wanted {
                try await MQTTClient.withClient(scenario.configuration("other")) { other in
                    try await other.publish(MQTTMessage(topic: "end", qos: .atLeastOnce))
                }
            }
            #expect(try await observer.message().topic == (wanted ? "will" : "end"))
        }
    }

    @Test("A request gets its answer from another client")
    func request() async throws {
        try await ClientScenario.run(.serve) { scenario in
            let server = MQTTClient(scenario.configuration("server"))
            try await server.connect()
            let requests = try await server.subscribe(to: [MQTTSubscription("ask")])
            let serving = Task {
                for try await request in requests.prefix(3) {
                    let topic = try #require(request.properties.responseTopic)
                    var answer = MQTTMessage(topic: topic, text: "re: " + request.text, qos: .atLeastOnce)
                    answer.properties.correlationData = request.properties.correlationData
                    try await server.publish(answer)
                }
            }
            try await MQTTClient.withClient(scenario.configuration("asker")) { client in
                for number in 1...3 {
                    let answer = try await client.request(
                        MQTTMessage(topic: "ask", text: "\(number)"), timeout: .seconds(60))
                    #expect(answer.text == "re: \(number)")
                }
            }
            // The asker may have its answer before the broker has acknowledged it to the other client.
            try await serving.value
            await server.disconnect()
        }
    }

    @Test("Messages that are published on data streams stay in order for each topic")
    func dataStreams() async throws {
        var options = ClientScenario.Options()
        // Otherwise QoS 0 would overtake QoS 1 in Mosquitto when the observer falls behind.
        options.broker.lines = ["max_inflight_messages 0", "max_queued_messages 0"]
        try await ClientScenario.run(.front, options) { scenario in
            let observer = try await scenario.observer("t/#")
            var configuration = scenario.configuration("client-1")
            configuration.dataStreams = 4
            let topics = 8
            let rounds = 25
            try await MQTTClient.withClient(configuration) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for topic in 0..<topics {
                        group.addTask {
                            for round in 0..<rounds {
                                let qos: MQTTQoS = round % 2 == 0 ? .atLeastOnce : .atMostOnce
                                try await client.publish(
                                    MQTTMessage(topic: "t/\(topic)", text: "\(round)", qos: qos))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            var next = Array(repeating: 0, count: topics)
            for _ in 0..<topics * rounds {
                let event = try await observer.message()
                let topic = try #require(event.topic.flatMap { Int($0.dropFirst(2)) })
                #expect(event.text == "\(next[topic])")
                next[topic] += 1
            }
            let events = try await scenario.farEnd.front?.reported() ?? []
            let streams = Set(events.filter { $0.type == "PUBLISH" && $0.sender == "client" }.compactMap(\.stream))
            #expect(streams.count > 2, "published on the streams \(streams)")
        }
    }
}
