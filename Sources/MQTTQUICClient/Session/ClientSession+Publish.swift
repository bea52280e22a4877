import MQTTCodec
import NIOCore

extension ClientSession {
    /// Takes a message, which ``nextPublishes(on:budget:)`` sends. The outcome is told as `published`.
    package mutating func publish(_ operation: ClientOperation, _ message: MQTTMessage) throws(MQTTClientError) {
        try check(message)
        let size = message.weight
        try checkRoom(size)
        let lane = lane(of: message)
        lastOrder += 1
        let publish = OutgoingPublish(
            operation: operation, order: lastOrder, message: message, lane: lane, size: size,
            expires: expiry(of: message))
        outstandingCount += 1
        outstandingBytes += size
        if lane > 0, diverted[lane] > 0 || (phase == .online && streams[lane] == nil) {
            diverted[lane] += 1
            flows[0].waiting.append(publish)
        } else {
            flows[lane].waiting.append(publish)
        }
    }

    /// Some brokers take an expiry of 0 for none, so that is left to the broker.
    private func expiry(of message: MQTTMessage) -> NIODeadline? {
        guard let seconds = message.properties.expiry?.wholeSeconds(as: UInt32.self), seconds > 0 else { return nil }
        return now() + .seconds(Int64(seconds))
    }

    /// - Throws: If no broker could be sent this message.
    func check(_ message: MQTTMessage) throws(MQTTClientError) {
        do throws(MQTTError) {
            try TopicName.validate(message.topic, version: version)
            if let topic = message.properties.responseTopic { try TopicName.validate(topic, version: version) }
        } catch {
            throw .invalidArgument("the message cannot be published to \"\(message.topic)\": \(error.description)")
        }
        guard message.properties.subscriptionIdentifiers.isEmpty else {
            throw .invalidArgument("a message to be published has no subscription identifiers: leave them out")
        }
        guard version.hasProperties || message.properties == MQTTMessageProperties() else {
            throw .invalidArgument("MQTT 3.1.1 has no properties: leave them out, or use MQTT 5")
        }
    }

    private func checkRoom(_ size: Int) throws(MQTTClientError) {
        let limit = configuration.maximumOutstandingPublishes
        guard outstandingCount < limit else { throw .tooManyOutstanding(limit: "\(limit) messages") }
        let bytes = configuration.maximumOutstandingBytes
        guard outstandingCount == 0 || outstandingBytes + size <= bytes else {
            throw .tooManyOutstanding(limit: "\(outstandingBytes) bytes of at most \(bytes)")
        }
    }

    /// Messages of one topic keep to one lane. What is known of a message of QoS 2 on a data stream is lost with the
    /// connection, so these keep to the control stream.
    private func lane(of message: MQTTMessage) -> Int {
        guard flows.count > 1, message.qos != .exactlyOnce else { return 0 }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in message.topic.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return 1 + Int(hash % UInt64(flows.count - 1))
    }

    /// A message has its outcome, or is given up.
    mutating func settle(_ publish: OutgoingPublish) {
        outstandingCount -= 1
        outstandingBytes -= publish.size
    }

    /// The same, for one of that flow.
    mutating func settle(_ publish: OutgoingPublish, from lane: Int) {
        settle(publish)
        if lane == 0, publish.lane > 0 { diverted[publish.lane] -= 1 }
    }

    /// A lane has no stream: its messages go on on the control stream.
    mutating func divert(_ lane: Int, isSent: Bool) {
        let moved = flows[lane].takeAll(isSent: isSent)
        diverted[lane] += moved.count
        flows[0].waiting.append(contentsOf: moved)
    }

    /// The streams that messages wait for.
    package var streamsToSendOn: [LinkStream] {
        guard phase == .online else { return [] }
        return zip(streams, flows).compactMap { stream, flow in flow.waiting.isEmpty ? nil : stream }
    }

    /// The PUBLISH packets to send next on that stream: at least one if any may be sent, and then more up to `budget`
    /// bytes.
    package mutating func nextPublishes(on stream: LinkStream, budget: Int) -> [ClientAction] {
        guard phase == .online, let lane = streams.firstIndex(of: stream) else { return [] }
        var actions: [ClientAction] = []
        var left = budget
        while left > 0, let publish = flows[lane].waiting.first {
            guard publish.message.qos == .atMostOnce || hasQuota(lane) else { break }
            guard let action = send(publish, lane, stream, &left) else { break }
            actions += action
        }
        return actions
    }

    private func hasQuota(_ lane: Int) -> Bool { flows[lane].inFlight.count < Int(limits.receiveMaximum) }

    /// - Returns: `nil` if there is no packet identifier.
    private mutating func send(
        _ publish: OutgoingPublish, _ lane: Int, _ stream: LinkStream, _ left: inout Int
    ) -> [ClientAction]? {
        var publish = publish
        guard publish.isSent || publish.timeLeft(at: now()) != 0 else { return expire(publish, lane) }
        let isExact = publish.message.qos != .atMostOnce
        if isExact, publish.packetID == nil {
            guard let packetID = flows[lane].identifiers.allocate() else { return nil }
            publish.packetID = packetID
        }
        flows[lane].waiting.removeFirst()
        do throws(MQTTClientError) {
            let bytes = try encode(publish)
            left -= bytes.readableBytes
            guard isExact, let packetID = publish.packetID else {
                settle(publish, from: lane)
                let sent = ClientAction.send(bytes, on: stream)
                return publish.hasWaiter
                    ? [sent, .published(publish.operation, .success(MQTTPublishAnswer()))] : [sent]
            }
            publish.isSent = true
            flows[lane].inFlight[packetID] = .published(publish)
            return [.send(bytes, on: stream)]
        } catch {
            if let packetID = publish.packetID { flows[lane].identifiers.free(packetID) }
            settle(publish, from: lane)
            return publish.hasWaiter ? [.published(publish.operation, .failure(error))] : []
        }
    }

    /// A message that is too late is not sent. One that the broker may have goes out again in any case, because the
    /// protocol goes on with it.
    private mutating func expire(_ publish: OutgoingPublish, _ lane: Int) -> [ClientAction] {
        flows[lane].waiting.removeFirst()
        if let packetID = publish.packetID { flows[lane].identifiers.free(packetID) }
        settle(publish, from: lane)
        guard publish.hasWaiter else { return [] }
        return [.published(publish.operation, .failure(.expired(topic: publish.message.topic)))]
    }

    private func encode(_ publish: OutgoingPublish) throws(MQTTClientError) -> ByteBuffer {
        let message = publish.message
        guard message.qos <= limits.maximumQoS else {
            throw .notSupportedByBroker("QoS \(message.qos.rawValue), only up to \(limits.maximumQoS.rawValue)")
        }
        guard !message.isRetained || limits.isRetainAvailable else {
            throw .notSupportedByBroker("retained messages")
        }
        var head = message.head(packetID: publish.packetID, isDuplicate: publish.isSent)
        if let left = publish.timeLeft(at: now()) { head.properties.messageExpiryInterval = max(1, left) }
        var bytes: ByteBuffer
        do throws(MQTTError) {
            bytes = try head.encode(version: version, payloadLength: message.payload.readableBytes)
        } catch {
            throw .invalidArgument("the message to \"\(message.topic)\" cannot be sent: \(error.description)")
        }
        try checkSize(bytes.readableBytes + message.payload.readableBytes)
        bytes.writeImmutableBuffer(message.payload)
        return bytes
    }
}
