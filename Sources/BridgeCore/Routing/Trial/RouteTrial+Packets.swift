import MQTTCodec
import NIOCore

extension RouteTrial {
    /// Why no device can publish on that topic; `nil` if one can.
    package static func problem(publishing topic: String) -> String? {
        do throws(MQTTError) { try TopicName.validate(topic) } catch { return "\(error)" }
        return nil
    }

    /// Why no device can subscribe to that filter; `nil` if one can.
    package static func problem(subscribing filter: String) -> String? {
        do throws(MQTTError) { try TopicFilter.validate(filter) } catch { return "\(error)" }
        return nil
    }

    /// What becomes of a message on that topic. Throws if a device cannot publish on it.
    package func publish(_ topic: String) throws(MQTTError) -> RouteVerdict {
        try TopicName.validate(topic)
        let attempts = try Self.attempts { version, qos throws(MQTTError) in
            let head = PublishHead(qos: qos, retain: true, topic: topic, packetID: qos == .atMostOnce ? nil : 1)
            return (try pass(.publish(head, payload: ByteBuffer()), version, from: .device), qos)
        }
        let heads = attempts.compactMap { attempt -> PublishHead? in
            if case .publish(let head, _)? = attempt.passage.forward { head } else { nil }
        }
        guard let head = heads.max(by: { $0.qos < $1.qos }) else {
            if let finding = finding(publishing: topic), finding.isRefused {
                return RouteVerdict(
                    outcome: .rejected, reason: finding.explanation, answers: Self.answers(in: attempts))
            }
            return kept(attempts, "topic", topic, router(.v5_0).remoteFate(of: topic).refusal) { $0.goesUp }
        }
        let remote = String(MarkedTopic(publishTopic: head.topic).topic)
        var back = try self.back(from: remote)
        back.isExpected = back.local?.hasSameBytes(as: MarkedTopic(publishTopic: topic).topic) == true
        let way = RouteVerdict.Way(
            remote: head.topic, route: routes.remoteTopic(for: topic)?.routeIndex, qosLimit: Int(head.qos.rawValue),
            stripsRetain: !head.retain, back: back, remark: finding(publishing: topic)?.explanation)
        return RouteVerdict(outcome: .forwarded, ways: [way])
    }

    /// What the platform does with a message on that topic, once it is routed.
    private func finding(publishing topic: String) -> PlatformFinding? {
        guard case .forwarded(let remote, _) = router(.v5_0).remoteFate(of: topic) else { return nil }
        return routes.platform?.finding(publishing: remote ?? topic)
    }

    /// What becomes of a subscription to that filter. Throws if a device cannot subscribe to it.
    package func subscribe(_ filter: String) throws(MQTTError) -> RouteVerdict {
        try TopicFilter.validate(filter)
        let attempts = try Self.attempts(qos: [.exactlyOnce]) { version, qos throws(MQTTError) in
            let subscription = Subscription(filter: filter, qos: qos)
            let packet = Packet.subscribe(Subscribe(packetID: 1, subscriptions: [subscription]))
            return (try pass(packet, version, from: .device), nil)
        }
        guard case .subscribe(let remote)? = attempts.last?.passage.forward else {
            var router = router(.v5_0)
            if case .denied = router.judged(router.filterFate(of: filter), of: filter) {
                return RouteVerdict(
                    outcome: .rejected, reason: PlatformFinding.deniedFilter.explanation,
                    answers: Self.answers(in: attempts))
            }
            return kept(attempts, "filter", filter, router.filterFate(of: filter).refusal) { $0.goesDown }
        }
        let deciders = routes.remoteFilters(for: filter).filter {
            routes.platform?.finding(subscribing: $0.filter) == nil
        }
        let local = try? TopicPattern(parsing: String(MarkedTopic(filter: filter).topic))
        let sample = SampleTopic(avoiding: routes.namedLevels)
        var ways: [RouteVerdict.Way] = []
        for (index, item) in remote.subscriptions.enumerated() {
            var back = try self.back(from: sample.topic(of: MarkedTopic(filter: item.filter).topic))
            back.isExpected = back.local.flatMap { local?.captures(in: $0[...]) } != nil
            ways.append(
                RouteVerdict.Way(
                    remote: item.filter, route: deciders.indices.contains(index) ? deciders[index].routeIndex : nil,
                    qosLimit: Int(item.qos.rawValue), stripsRetain: false, back: back))
        }
        return RouteVerdict(outcome: .forwarded, ways: ways)
    }

    /// What becomes of a retained message of the broker.
    private func back(from remote: String) throws(MQTTError) -> RouteVerdict.Back {
        var back = RouteVerdict.Back(
            remote: remote, local: nil, route: routes.localTopic(for: remote)?.routeIndex, stripsRetain: false,
            isExpected: false)
        let head = PublishHead(qos: .atMostOnce, retain: true, topic: remote)
        let passage = try pass(.publish(head, payload: ByteBuffer()), .v3_1_1, from: .broker)
        guard case .publish(let arrived, _)? = passage.forward else { return back }
        back.local = arrived.topic
        back.stripsRetain = !arrived.retain
        return back
    }
}

// MARK: - Through the router

extension RouteTrial {
    private enum Side { case device, broker }

    /// What came out of the router for one packet.
    fileprivate struct Passage {
        var forward: Packet?
        var reply: Packet?
        var close: Refusal?
    }

    private struct Attempt {
        var version: MQTTVersion
        var qos: QoS?
        var passage: Passage
    }

    private static func attempts(
        qos: [QoS] = QoS.allCases,
        _ pass: (MQTTVersion, QoS) throws(MQTTError) -> (Passage, QoS?)
    ) throws(MQTTError) -> [Attempt] {
        var attempts: [Attempt] = []
        for version in [MQTTVersion.v3_1_1, .v5_0] {
            for qos in qos {
                let (passage, shown) = try pass(version, qos)
                attempts.append(Attempt(version: version, qos: shown, passage: passage))
            }
        }
        return attempts
    }

    private func router(_ version: MQTTVersion) -> PacketRouter {
        PacketRouter(routes: routes, version: version, isLenient: isLenient)
    }

    private func pass(_ packet: Packet, _ version: MQTTVersion, from side: Side) throws(MQTTError) -> Passage {
        var router = router(version)
        let frame = try Frame(packet: packet.encode(version: version), version: version)
        let routed = side == .device ? try router.fromDevice(frame) : try router.fromBroker(frame)
        var forward = ByteBuffer()
        for buffer in routed.forward { forward.writeImmutableBuffer(buffer) }
        return Passage(
            forward: forward.readableBytes > 0 ? try Self.decoded(forward, version) : nil,
            reply: try routed.reply.first.map { bytes throws(MQTTError) in try Self.decoded(bytes, version) },
            close: routed.close)
    }

    private static func decoded(_ bytes: ByteBuffer, _ version: MQTTVersion) throws(MQTTError) -> Packet {
        try Packet.decode(Frame(packet: bytes, version: version), version: version)
    }
}

// MARK: - What does not go to the broker

extension RouteTrial {
    /// - Parameter refusal: `nil` if it is dropped.
    private func kept(
        _ attempts: [Attempt], _ subject: String, _ topic: String, _ refusal: ReasonCode?,
        hasDirection: (ResolvedRoute) -> Bool
    ) -> RouteVerdict {
        let text = subject == "topic" ? MarkedTopic(publishTopic: topic).topic : MarkedTopic(filter: topic).topic
        let others = routes.routes.indices.filter {
            !hasDirection(routes.routes[$0]) && routes.routes[$0].local.captures(in: text) != nil
        }
        let isTooLong = refusal == .topicNameInvalid || refusal == .topicFilterInvalid
        let way = subject == "topic" ? "up" : "down"
        let reason =
            isTooLong
            ? "the \(subject) is too long once it is routed"
            : "no route that goes \(way) matches the \(subject), and unrouted is \(routes.unrouted.rawValue)"
        return RouteVerdict(
            outcome: refusal == nil ? .dropped : .rejected, reason: reason, answers: Self.answers(in: attempts),
            otherDirection: others)
    }

    private static func answers(in attempts: [Attempt]) -> [RouteVerdict.Answer] {
        attempts.map {
            RouteVerdict.Answer(
                version: $0.version.number, qos: $0.qos.map { Int($0.rawValue) }, text: $0.passage.answer)
        }
    }
}

extension RouteTrial.Passage {
    /// What the device is told, in words.
    fileprivate var answer: String {
        let words =
            switch reply {
            case .puback(let answer)?: "PUBACK \(ReasonCode(rawValue: answer.reasonCode).answerInWords)"
            case .pubrec(let answer)?: "PUBREC \(ReasonCode(rawValue: answer.reasonCode).answerInWords)"
            case .suback(let answer)?:
                "SUBACK \(ReasonCode(rawValue: answer.codes.first ?? 0).answerInWords)"
            default: close == nil ? "nothing, as at QoS 0" : ""
            }
        guard close != nil else { return words }
        return words.isEmpty ? "the connection is closed" : "\(words), and the connection is closed"
    }
}

extension ReasonCode {
    fileprivate var answerInWords: String { rawValue < 0x80 ? "as if it had gone to the broker" : inWords }
}

extension PacketRouter.TopicFate {
    fileprivate var refusal: ReasonCode? {
        if case .refused(let reason) = self { reason } else { nil }
    }
}

extension PacketRouter.FilterFate {
    fileprivate var refusal: ReasonCode? {
        if case .refused(let reason) = self { reason } else { nil }
    }
}

extension ResolvedRoutes {
    /// The levels that routes name on their remote sides.
    fileprivate var namedLevels: [String] {
        routes.flatMap(\.remote.levels).compactMap { if case .literal(let text) = $0 { text } else { nil } }
    }
}
