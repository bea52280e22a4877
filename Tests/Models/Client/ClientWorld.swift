import MQTTCodec
import MQTTQUICClient
import NIOCore
import TestSupport

/// A session and a model broker over a network that loses connections at any point, as a seed or a fuzzer decides.
package struct ClientWorld {
    private var session: ClientSession
    private var broker: ModelBroker
    private var random: Choices
    private let dataStreams: Int
    /// Packets on their way, for each stream.
    private var up: [LinkStream: [Packet]] = [:]
    private var down: [LinkStream: [Packet]] = [:]
    private var isConnected = false
    private var published: [ClientOperation: MQTTMessage] = [:]
    private var settled: Set<ClientOperation> = []
    private var sentToClient: [MQTTMessage] = []
    private var got: [MQTTMessage] = []
    private var untaken: [IncomingFlow.Delivery] = []
    private var nextNumber: UInt64 = 0
    private var failures: [String] = []

    package init(_ passesOn: ModelBroker.PassesOn, dataStreams: Int, choices: Choices) {
        var configuration = MQTTClientConfiguration(host: "broker.example", clientID: "c")
        configuration.sessionExpiry = .seconds(300)
        configuration.dataStreams = dataStreams
        random = choices
        session = ClientSession(configuration, lastPacketID: .random(in: .min ... .max, using: &random))
        broker = ModelBroker(passesOn)
        self.dataStreams = dataStreams
    }

    /// - Parameter steps: At most so many; no more than there are choices. Then there are no faults any more, until
    ///   everything has come to its end.
    package mutating func run(steps: Int) throws {
        for _ in 0..<steps where !random.isExhausted { try step() }
        try settle()
    }

    private static func packets(_ bytes: ByteBuffer) throws -> [Packet] {
        var decoder = FrameDecoder(
            maximumPacketSize: 1 << 24, streamingThreshold: 1 << 24, maximumBufferedSize: 1 << 24)
        decoder.version = .v5_0
        decoder.append(bytes)
        var packets: [Packet] = []
        while let element = try decoder.next() {
            guard case .packet(let frame) = element else { continue }
            packets.append(try Packet.decode(frame, version: .v5_0))
        }
        return packets
    }

    private mutating func perform(_ actions: [ClientAction]) throws {
        for action in actions {
            switch action {
            case .send(let bytes, let stream): up[stream, default: []] += try Self.packets(bytes)
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

    /// - Parameter forgetting: Whether messages may have expired at the broker, which then need not arrive.
    private mutating func connect(forgetting: Bool) throws {
        _ = try session.connectPacket(isReconnect: true)
        isConnected = true
        let (forgotten, resumed) = broker.resumes { forgetting && random.chance(0.1) }
        let arrived = Set(got.map(\.text))
        for message in forgotten where !arrived.contains(message.text) {
            sentToClient.removeAll { $0.text == message.text }
        }
        down[.control] = [.connack(Connack(sessionPresent: true))] + resumed
    }

    private mutating func cut() {
        isConnected = false
        up = [:]
        down = [:]
        session.connectionLost()
    }

    private mutating func pump() throws {
        for stream in session.streamsToSendOn {
            try perform(session.nextPublishes(on: stream, budget: Int.random(in: 1...400, using: &random)))
        }
    }

    private mutating func moveUp() {
        let streams = up.filter { !$0.value.isEmpty }.keys.sorted { "\($0)" < "\($1)" }
        guard let stream = streams.randomElement(using: &random), let packet = up[stream]?.removeFirst() else {
            return
        }
        down[stream, default: []] += broker.receives(packet)
    }

    private mutating func moveDown() throws {
        let streams = down.filter { !$0.value.isEmpty }.keys.sorted { "\($0)" < "\($1)" }
        guard let stream = streams.randomElement(using: &random), let packet = down[stream]?.removeFirst() else {
            return
        }
        try perform(session.received(packet, on: stream))
    }

    private mutating func publish() throws {
        nextNumber += 1
        let qos: MQTTQoS = random.chance(0.5) ? .atLeastOnce : .exactlyOnce
        let topic = "t\(Int.random(in: 0...3, using: &random))"
        let message = MQTTMessage(topic: topic, text: "\(nextNumber)", qos: qos)
        published[ClientOperation(number: nextNumber)] = message
        try session.publish(ClientOperation(number: nextNumber), message)
    }

    private mutating func sendToClient() {
        guard broker.owedCount < 20, isConnected else { return }
        nextNumber += 1
        let qos: MQTTQoS = random.chance(0.5) ? .atLeastOnce : .exactlyOnce
        let message = MQTTMessage(topic: "d", text: "\(nextNumber)", qos: qos)
        sentToClient.append(message)
        down[.control, default: []].append(broker.sends(message))
    }

    private mutating func take() throws {
        guard let index = untaken.indices.randomElement(using: &random) else { return }
        try perform(session.taken(untaken.remove(at: index)))
    }

    private mutating func endDataStream() {
        guard dataStreams > 0 else { return }
        let stream = LinkStream.data(Int.random(in: 0..<dataStreams, using: &random))
        up[stream] = nil
        down[stream] = nil
        session.ended(stream)
    }

    private mutating func step() throws {
        guard isConnected else { return random.chance(0.3) ? try connect(forgetting: true) : try publish() }
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
    private mutating func settle() throws {
        for _ in 0..<20_000 where !isQuiet {
            if !isConnected { try connect(forgetting: false) }
            try pump()
            moveUp()
            try moveDown()
            try take()
        }
    }

    /// What did not hold: messages that are lost, doubled or out of order, and what is still kept although nothing is
    /// owed. Empty if there is nothing.
    package var faults: [String] {
        var faults = failures
        if settled != Set(published.keys) { faults.append("\(published.count - settled.count) are not settled") }
        if !broker.isIdle { faults.append("the broker still waits") }
        if session.outstandingCount != 0 || session.outstandingBytes != 0 {
            faults.append("\(session.outstandingCount) messages, \(session.outstandingBytes) bytes outstanding")
        }
        if !session.flows.allSatisfy({ $0.isEmpty && $0.identifiers.count == 0 }) {
            faults.append("a flow is not empty")
        }
        if session.diverted.contains(where: { $0 != 0 }) { faults.append("diverted: \(session.diverted)") }
        return faults + Self.faults(of: Array(published.values), broker.passed) + Self.faults(of: sentToClient, got)
    }

    private static func faults(of sent: [MQTTMessage], _ arrived: [MQTTMessage]) -> [String] {
        Dictionary(grouping: sent) { "\($0.topic) \($0.qos)" }.flatMap { key, messages -> [String] in
            let texts = arrived.filter { "\($0.topic) \($0.qos)" == key }.map(\.text)
            let expected = messages.map(\.text).sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
            var seen: Set<String> = []
            let first = texts.filter { seen.insert($0).inserted }
            let isDoubled = messages.first?.qos == .exactlyOnce && texts.count != expected.count
            return (first == expected ? [] : ["lost, or out of order: \(key)"]) + (isDoubled ? ["doubled: \(key)"] : [])
        }
    }
}
