import MQTTCodec

extension PacketRouter {
    /// Routes the will like a message of the device, and notes what the device negotiates.
    ///
    /// Returns why the CONNECT is refused. If it returns `nil`, `connect` is what goes to the broker: unchanged unless
    /// a route changes the will.
    package mutating func rewriteConnect(_ connect: inout Connect) -> ConnectRefusal? {
        deviceAliasMaximum = connect.properties.topicAliasMaximum ?? 0
        // If the bridge itself is the server, its session enforces this limit.
        deviceMaximumPacketSize = isLenient ? connect.properties.maximumPacketSize : nil
        guard !routes.isEmpty else { return nil }
        guard !connect.properties.hasUnread(.topicAliasMaximum) else {
            return refuse(.protocolError, "CONNECT has an unreadable topic alias maximum, which the routes need")
        }
        guard var will = connect.will else { return nil }
        guard (try? TopicName.validate(will.topic, version: version)) != nil,
            !will.properties.hasUnread(.responseTopic)
        else {
            return refuse(.topicNameInvalid, "the will has an invalid topic or response topic, which the routes need")
        }
        switch judged(remoteFate(of: will.topic), of: will.topic) {
        case .forwarded(let topic, let routeIndex):
            if case .refused(let reason) = routeResponseTopicUp(in: &will.properties) {
                let topic = will.properties.responseTopic ?? ""
                return refuse(reason, Self.message(for: "the response topic of the will", topic: topic, reason: reason))
            }
            will.topic = topic ?? will.topic
            if let route = routes.route(at: routeIndex) {
                will.qos = min(will.qos, route.qosCap)
                will.retain = will.retain && !route.stripsRetain
            }
            connect.will = will
            routes.tally?.passed(.up, by: routeIndex)
        case .dropped:
            counters.droppedUp += 1
            routes.tally?.count(.up, .dropped)
            connect.will = nil
        case .denied:
            // The broker would accept the will and never publish it.
            counters.droppedUp += 1
            connect.will = nil
        case .refused(let reason):
            return refuse(reason, Self.message(for: "the topic of the will", topic: will.topic, reason: reason))
        }
        return nil
    }

    private mutating func refuse(_ reason: ReasonCode, _ message: String) -> ConnectRefusal {
        counters.rejectedUp += 1
        routes.tally?.count(.up, .rejected)
        return ConnectRefusal(reason, version: version, message: message)
    }
}
