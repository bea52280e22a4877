import BridgeCore
import MQTTCodec
import NIOCore
import TestSupport

/// A device whose connection never breaks. It sends nothing twice, and complains about everything that it is told
/// twice.
package struct SimulatedDevice {
    private enum Flow {
        case puback, pubrec, pubcomp
        case suback(String)
        case unsuback(String)
    }

    package let version: MQTTVersion
    package let prefix: String
    package private(set) var sent: [SimulatedBroker.Message] = []
    package private(set) var received: [SimulatedBroker.Message] = []
    package private(set) var complaints: [String] = []
    package private(set) var subscriptions: Set<String> = []
    package private(set) var openPings = 0
    package private(set) var connack: Connack?
    package private(set) var isDisconnected = false
    private var flows: [UInt16: Flow] = [:]
    private var lastID: UInt16 = 0
    private var open: [UInt16: QoS] = [:]
    private var answers: [Packet] = []
    private var aliases: [UInt16: String] = [:]
    private var decoder: FrameDecoder
    /// For the bridge.
    package var output = ByteBuffer()

    package init(_ version: MQTTVersion, prefix: String) {
        self.version = version
        self.prefix = prefix
        decoder = FrameDecoder(
            maximumPacketSize: 1_000_000, streamingThreshold: 1_000_000, maximumBufferedSize: 1_000_000)
        decoder.version = version
    }

    package var isIdle: Bool {
        flows.isEmpty && open.isEmpty && answers.isEmpty && output.readableBytes == 0 && openPings == 0
    }
    package var hasRoom: Bool { flows.count < min(14, Int(connack?.properties.receiveMaximum ?? .max)) }

    package mutating func connect(_ connect: Connect) throws {
        output.writeImmutableBuffer(try connect.encode())
    }

    // MARK: What it does

    private mutating func unusedID() -> UInt16 {
        repeat { lastID = lastID % 16 + 1 } while flows[lastID] != nil
        return lastID
    }

    package mutating func publish(_ qos: QoS, length: Int, using random: inout Choices) throws {
        guard hasRoom || qos == .atMostOnce else { return }
        let message = SimulatedBroker.Message(number: sent.count, qos: qos)
        var topic = "t\(Int.random(in: 1...4, using: &random))"
        let text = "\(message.number) \(prefix)\(topic) "
        var properties = Properties()
        let maximum = connack?.properties.topicAliasMaximum ?? 0
        if maximum > 0, random.chance(0.6) {
            let alias = UInt16.random(in: 1...maximum, using: &random)
            properties.topicAlias = alias
            if aliases[alias] == topic { topic = "" } else { aliases[alias] = topic }
        }
        var packetID: UInt16?
        if qos > .atMostOnce {
            let id = unusedID()
            packetID = id
            flows[id] = qos == .atLeastOnce ? .puback : .pubrec
        }
        sent.append(message)
        let payload = ByteBuffer(string: text + String(repeating: "x", count: length))
        try send(
            .publish(PublishHead(qos: qos, topic: topic, packetID: packetID, properties: properties), payload: payload))
    }

    package mutating func subscribe(_ filter: String) throws {
        guard hasRoom else { return }
        let packetID = unusedID()
        flows[packetID] = .suback(filter)
        try send(
            .subscribe(
                Subscribe(packetID: packetID, subscriptions: [Subscription(filter: filter, qos: .exactlyOnce)])))
    }

    package mutating func unsubscribe(_ filter: String) throws {
        guard hasRoom else { return }
        let packetID = unusedID()
        flows[packetID] = .unsuback(filter)
        try send(.unsubscribe(Unsubscribe(packetID: packetID, filters: [filter])))
    }

    package mutating func ping() throws {
        openPings += 1
        try send(.pingreq)
    }

    package mutating func answerNext() throws {
        guard !answers.isEmpty else { return }
        let packet = answers.removeFirst()
        switch packet {
        case .puback(let ack), .pubcomp(let ack): open[ack.packetID] = nil
        default: break
        }
        try send(packet)
    }

    package mutating func disconnect() throws { try send(.disconnect(Disconnect())) }

    private mutating func send(_ packet: Packet) throws {
        output.writeImmutableBuffer(try packet.encode(version: version))
    }

    // MARK: What it is told

    package mutating func receive(_ bytes: ByteBuffer) throws {
        decoder.append(bytes)
        while case .packet(let frame)? = try decoder.next() {
            try receive(Packet.decode(frame, version: version))
        }
    }

    private mutating func receive(_ packet: Packet) throws {
        switch packet {
        case .connack(let connack): self.connack = connack
        case .publish(let head, let payload): received(head, payload)
        case .puback(let ack): finish(ack.packetID, packet)
        case .pubrec(let ack): finish(ack.packetID, packet)
        case .pubcomp(let ack): finish(ack.packetID, packet)
        case .pubrel(let ack):
            // A PUBREL for a finished message comes if the PUBCOMP was lost on the way to the broker.
            if open[ack.packetID] == .atLeastOnce { complain("PUBREL for \(ack.packetID)") }
            answers.append(.pubcomp(PublishAck(packetID: ack.packetID)))
        case .suback(let suback): finish(suback.packetID, packet)
        case .unsuback(let unsuback): finish(unsuback.packetID, packet)
        case .pingresp:
            openPings -= 1
            if openPings < 0 { complain("PINGRESP too many") }
        case .disconnect: isDisconnected = true
        case .connect, .subscribe, .unsubscribe, .pingreq, .auth: complain("\(packet)")
        }
    }

    private mutating func received(_ head: PublishHead, _ payload: ByteBuffer) {
        guard let number = Int(String(buffer: payload)) else { return complain("a payload") }
        received.append(SimulatedBroker.Message(number: number, qos: head.qos))
        guard let packetID = head.packetID else { return }
        if open[packetID] != nil { complain("delivery \(number) has the identifier \(packetID), which is open") }
        open[packetID] = head.qos
        let ack = PublishAck(packetID: packetID)
        answers.append(head.qos == .exactlyOnce ? .pubrec(ack) : .puback(ack))
    }

    private mutating func finish(_ packetID: UInt16, _ packet: Packet) {
        switch (flows[packetID], packet) {
        case (.puback, .puback), (.pubcomp, .pubcomp): flows[packetID] = nil
        case (.pubrec, .pubrec):
            flows[packetID] = .pubcomp
            answers.append(.pubrel(PublishAck(packetID: packetID)))
        case (.suback(let filter), .suback):
            subscriptions.insert(filter)
            flows[packetID] = nil
        case (.unsuback(let filter), .unsuback):
            subscriptions.remove(filter)
            flows[packetID] = nil
        default: complain("\(packet) answers nothing")
        }
    }

    private mutating func complain(_ what: String) { complaints.append(what) }
}
