import MQTTCodec
import NIOCore
import TestSupport
import Testing

@testable import MQTTQUICClient

/// A session and a model broker over a network that loses connections at any point.
struct ClientSessionFuzzTests {
    private struct World {
        var session: ClientSession
        var broker: ModelBroker
        var random: SplitMix64
        let dataStreams: Int
        /// Packets on their way, for each stream.
        var up: [LinkStream: [Packet]] = [:]
        var down: [LinkStream: [Packet]] = [:]
        var isConnected = false
        var published: [ClientOperation: MQTTMessage] = [:]
        var settled: Set<ClientOperation> = []
        var sentToClient: [MQTTMessage] = []
        var got: [MQTTMessage] = []
        var untaken: [IncomingFlow.Delivery] = []
        var nextNumber: UInt64 = 0
        var failures: [String] = []

        mutating func perform(_ actions: [ClientAction]) throws {
            for action in actions {
                switch action {
                case .send(let bytes, let stream): up[stream, default: []] += try packets(bytes)
                case .published(let operation, .success): settled.insert(operation)
                case .published(let operation, .failure(let error)): failures.append("\(operation): \(error)")
                case .deliver(let message, let delivery, _):
                    got.append(message)
                    if let delivery { untaken.append(delivery) }
                case .fail(let error): failures.append("\(error)")
                case .connected: session.opened((0..<dataStreams).map { .data($0) })
                case .subscribed, .unsubscribed, .subscriptionRefused, .subscriptionEnded: break
                }
            }
        }

        mutating func connect() throws {
            _ = try session.connectPacket(isReconnect: true)
            isConnected = true
            let (forgotten, resumed) = broker.resumes { random.chance(0.1) }
            // What has expired at the broker need not arrive.
            let arrived = Set(got.map(\.text))
            for message in forgotten where !arrived.contains(message.text) {
                sentToClient.removeAll { $0.text == message.text }
            }
            down[.control] = [.connack(Connack(sessionPresent: true))] + resumed
        }

        mutating func cut() {
            isConnected = false
            up = [:]
            down = [:]
            session.connectionLost()
        }

        mutating func pump() throws {
            for stream in session.streamsToSendOn {
                try perform(session.nextPublishes(on: stream, budget: Int.random(in: 1...400, using: &random)))
            }
        }

        mutating func moveUp() {
            let streams = up.filter { !$0.value.isEmpty }.keys.sorted { "\($0)" < "\($1)" }
            guard let stream = streams.randomElement(using: &random), let packet = up[stream]?.removeFirst() else {
                return
            }
            down[stream, default: []] += broker.receives(packet)
        }

        mutating func moveDown() throws {
            let streams = down.filter { !$0.value.isEmpty }.keys.sorted { "\($0)" < "\($1)" }
            guard let stream = streams.randomElement(using: &random), let packet = down[stream]?.removeFirst() else {
                return
            }
            try perform(session.received(packet, on: stream))
        }

        mutating func publish() throws {
            nextNumber += 1
            let qos: MQTTQoS = random.chance(0.5) ? .atLeastOnce : .exactlyOnce
            let topic = "t\(Int.random(in: 0...3, using: &random))"
            let message = MQTTMessage(topic: topic, text: "\(nextNumber)", qos: qos)
            published[operation(nextNumber)] = message
            try session.publish(operation(nextNumber), message)
        }

        mutating func sendToClient() {
            guard broker.owedCount < 20, isConnected else { return }
            nextNumber += 1
            let qos: MQTTQoS = random.chance(0.5) ? .atLeastOnce : .exactlyOnce
            let message = MQTTMessage(topic: "d", text: "\(nextNumber)", qos: qos)
            sentToClient.append(message)
            down[.control, default: []].append(broker.sends(message))
        }

        mutating func take() throws {
            guard let index = untaken.indices.randomElement(using: &random) else { return }
            try perform(session.taken(untaken.remove(at: index)))
        }

        mutating func endDataStream() {
            guard dataStreams > 0 else { return }
            let stream = LinkStream.data(Int.random(in: 0..<dataStreams, using: &random))
            up[stream] = nil
            down[stream] = nil
            session.ended(stream)
        }

        mutating func step() throws {
            guard isConnected else { return random.chance(0.3) ? try connect() : try publish() }
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<15: if published.count < 300 { try publish() }
            case 15..<25: sendToClient()
            case 25..<50: moveUp()
            case 50..<80: try moveDown()
            case 80..<90: try take()
            case 90..<97: try pump()
            case 97: endDataStream()
            default: cut()
            }
        }

        /// Whether nothing is on its way and nothing is owed.
        private var isQuiet: Bool {
            isConnected && settled.count == published.count && broker.isIdle && untaken.isEmpty
                && up.values.allSatisfy(\.isEmpty) && down.values.allSatisfy(\.isEmpty)
        }

        /// Without faults from here on.
        mutating func settle() throws {
            for _ in 0..<20_000 where !isQuiet {
                if !isConnected { try connect() }
                try pump()
                moveUp()
                try moveDown()
                try take()
            }
        }
    }

    private func check(_ world: World) {
        #expect(world.failures == [])
        #expect(world.settled == Set(world.published.keys))
        #expect(world.broker.isIdle)
        #expect(world.session.outstandingCount == 0)
        #expect(world.session.outstandingBytes == 0)
        #expect(world.session.flows.allSatisfy { $0.isEmpty && $0.identifiers.count == 0 })
        #expect(world.session.diverted.allSatisfy { $0 == 0 })
        check(sent: Array(world.published.values), arrived: world.broker.passed)
        check(sent: world.sentToClient, arrived: world.got)
    }

    private func check(sent: [MQTTMessage], arrived: [MQTTMessage]) {
        for (key, messages) in Dictionary(grouping: sent, by: { "\($0.topic) \($0.qos)" }) {
            let texts = arrived.filter { "\($0.topic) \($0.qos)" == key }.map(\.text)
            let expected = messages.map(\.text).sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
            var seen: Set<String> = []
            let first = texts.filter { seen.insert($0).inserted }
            #expect(first == expected, "lost, or out of order: \(key)")
            if messages[0].qos == .exactlyOnce { #expect(texts.count == expected.count, "doubled: \(key)") }
        }
    }

    @Test(
        "Over a network that fails, nothing is lost, nothing of QoS 2 comes twice, and the order stays",
        arguments: ModelBroker.PassesOn.allCases, [0, 3])
    func random(passesOn: ModelBroker.PassesOn, dataStreams: Int) throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var configuration = MQTTClientConfiguration.test
            configuration.dataStreams = dataStreams
            var world = World(
                session: ClientSession(configuration), broker: ModelBroker(passesOn), random: SplitMix64(seed: seed),
                dataStreams: dataStreams)
            for _ in 0..<800 { try world.step() }
            try world.settle()
            check(world)
        }
    }
}
