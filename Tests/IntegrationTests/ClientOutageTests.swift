import Foundation
import NIOCore
import Testing

@testable import MQTTQUICClient

/// What the client library makes of connections that end.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ClientOutageTests {
    @Test("What is published while the broker is away arrives once, in order, when it is back")
    func outage() async throws {
        var options = ClientScenario.Options()
        options.broker.persistence = true
        try await ClientScenario.run(.front, options) { scenario in
            var configuration = scenario.configuration("client-1")
            configuration.sessionExpiry = .seconds(300)
            let client = MQTTClient(configuration)
            var events = client.events.makeAsyncIterator()
            try await client.connect()
            let messages = try await client.subscribe(
                to: [MQTTSubscription("t", qos: .exactlyOnce)], buffer: 100)
            try await client.publish(MQTTMessage(topic: "t", text: "0", qos: .exactlyOnce))
            try await scenario.broker.kill()
            while case .connected? = await events.next() {}
            let publishing = Task {
                for number in 1...20 {
                    try await client.publish(MQTTMessage(topic: "t", text: "\(number)", qos: .exactlyOnce))
                }
            }
            try await scenario.startBroker()
            try await publishing.value
            var iterator = messages.makeAsyncIterator()
            for number in 0...20 { #expect(try await iterator.next()?.text == "\(number)") }
            await client.disconnect()
            #expect(try await iterator.next() == nil)
        }
    }

    @Test("A session of an earlier client goes on: what came meanwhile is there before it subscribes")
    func earlierSession() async throws {
        try await ClientScenario.run(.serve) { scenario in
            var configuration = scenario.configuration("client-1")
            configuration.sessionExpiry = .seconds(300)
            configuration.cleanStart = false
            let first = MQTTClient(configuration)
            #expect(try await first.connect().isSessionPresent == false)
            let messages = try await first.subscribe(to: [MQTTSubscription("t")])
            await first.disconnect()
            withExtendedLifetime(messages) {}
            let observer = try await scenario.observer()
            for number in 1...5 { try await observer.publish("t", .text("\(number)"), qos: 1) }
            let second = MQTTClient(configuration)
            let unclaimed = second.unclaimedMessages()
            #expect(try await second.connect().isSessionPresent)
            var iterator = unclaimed.makeAsyncIterator()
            for number in 1...5 { #expect(try await iterator.next()?.text == "\(number)") }
            await second.disconnect()
        }
    }

    @Test(
        "A client whose session is taken over is told, and stays away for 5 s", arguments: [FarEnd.Kind.front, .serve])
    func takeover(kind: FarEnd.Kind) async throws {
        try await ClientScenario.run(kind) { scenario in
            let first = MQTTClient(scenario.configuration("same"))
            var events = first.events.makeAsyncIterator()
            try await first.connect()
            guard case .connected? = await events.next() else {
                Issue.record("no event")
                return
            }
            let second = MQTTClient(scenario.configuration("same"))
            try await second.connect()
            let event = await events.next()
            guard case .disconnected(let error, let wait)? = event else {
                Issue.record("not taken over: \(String(describing: event))")
                return
            }
            // Mosquitto 2.0.11 sends no DISCONNECT, but ends the stream.
            if kind == .front { #expect(error == .sessionTakenOver) }
            #expect(wait ?? .zero >= .seconds(5))
            await first.disconnect()
            try await second.publish(MQTTMessage(topic: "t", qos: .atLeastOnce))
            await second.disconnect()
        }
    }

    @Test("A lost connection is made again, and a client that is cancelled meanwhile leaves nothing")
    func closedByFront() async throws {
        try await ClientScenario.run(.front) { scenario in
            let client = MQTTClient(scenario.configuration("client-1"))
            var events = client.events.makeAsyncIterator()
            try await client.connect()
            _ = await events.next()
            for _ in 1...3 {
                try scenario.farEnd.front?.closeAll(code: 2)
                guard case .disconnected(_, .some)? = await events.next() else {
                    Issue.record("not lost")
                    return
                }
                guard case .connected? = await events.next() else {
                    Issue.record("not connected again")
                    return
                }
                try await client.publish(MQTTMessage(topic: "t", qos: .atLeastOnce))
            }
            await client.disconnect()
            let runtime = client.runtime
            let isIdle = try await client.eventLoop.submit {
                runtime.value.phase == .idle && runtime.value.link == nil && runtime.value.closing.isEmpty
                    && runtime.value.waiters.isEmpty && !runtime.value.timer.isArmed
            }.get()
            #expect(isIdle)
        }
    }

    @Test("A slow consumer bounds what is kept for it, and gets everything of QoS 1 in the end")
    func slowConsumer() async throws {
        var options = ClientScenario.Options()
        options.broker.lines = ["max_queued_messages 0", "max_inflight_messages 0"]
        try await ClientScenario.run(.serve, options) { scenario in
            var configuration = scenario.configuration("slow")
            configuration.receiveMaximum = .max
            let client = MQTTClient(configuration)
            try await client.connect()
            let messages = try await client.subscribe(to: [MQTTSubscription("t")], buffer: 10)
            let count = 3000
            try await MQTTClient.withClient(scenario.configuration("fast")) { fast in
                for number in 0..<count {
                    let text = "\(number) " + String(repeating: "x", count: 10_000)
                    try await fast.publish(MQTTMessage(topic: "t", text: text, qos: .atLeastOnce))
                }
            }
            let kept = try await client.keptBytes()
            // 30 MB were published. A window of the connection may be there beyond the buffer, but not all.
            #expect(kept > 0)
            #expect(kept < 8_000_000, "\(kept) bytes are kept")
            var iterator = messages.makeAsyncIterator()
            for number in 0..<count {
                let message = try await iterator.next()
                guard message?.text.hasPrefix("\(number) ") == true else {
                    Issue.record("message \(number) is missing")
                    return
                }
            }
            await client.disconnect()
        }
    }
}

extension MQTTClient {
    /// How many bytes of messages wait in this client's sequences.
    fileprivate func keptBytes() async throws -> Int {
        let runtime = runtime
        return try await eventLoop.submit { runtime.value.buffers.values.reduce(0) { $0 + $1.bytes } }.get()
    }
}
