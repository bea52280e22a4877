import MQTTCodec
import NIOCore

extension ClientSession {
    /// CONNECT. The session then waits for CONNACK.
    ///
    /// - Parameter isReconnect: Whether the client itself makes a lost connection anew: it then goes on with its session
    ///   if that outlives connections.
    package mutating func connectPacket(isReconnect: Bool) throws(MQTTClientError) -> ByteBuffer {
        let outlives = configuration.outlivesConnections
        askedCleanStart = isReconnect ? !outlives : configuration.cleanStart
        if !isReconnect, askedCleanStart { clientID = configuration.clientID }
        let bytes = try encodedConnect()
        become(.connecting)
        connectMayHaveArrived = false
        return bytes
    }

    /// From now on the broker may get CONNECT.
    package mutating func connectMayArrive() { connectMayHaveArrived = true }

    private func encodedConnect() throws(MQTTClientError) -> ByteBuffer {
        var properties = Properties()
        if version.hasProperties {
            let expiry = configuration.sessionExpiry.wholeSeconds(as: UInt32.self)
            if expiry > 0 { properties.sessionExpiryInterval = expiry }
            properties.receiveMaximum = configuration.receiveMaximum
            properties.maximumPacketSize = UInt32(clamping: configuration.maximumPacketSize)
            properties.requestResponseInformation = true
            properties.append(configuration.userProperties)
        }
        let connect = Connect(
            version: version, cleanStart: askedCleanStart, keepAlive: configuration.keepAlive.wholeSeconds(),
            clientID: clientID, will: configuration.will.map { $0.codec(version) },
            username: configuration.credentials?.username,
            password: configuration.credentials?.password.map { ByteBuffer(bytes: $0) }, properties: properties)
        do throws(MQTTError) {
            return try connect.encode()
        } catch {
            throw .invalidArgument("CONNECT cannot be made of this configuration: \(error.description)")
        }
    }

    mutating func received(_ connack: Connack) -> [ClientAction] {
        let code =
            version.hasProperties && connack.code != 1
            ? MQTTReasonCode(rawValue: connack.code) : .ofReturnCode(connack.code)
        guard code == .success else {
            return [
                .fail(
                    .refused(
                        code, reason: connack.properties.reasonString,
                        serverReference: connack.properties.serverReference))
            ]
        }
        guard !connack.sessionPresent || !askedCleanStart else {
            return fault(.protocolError, "it goes on with a session, although a clean start was asked for")
        }
        become(.online)
        limits = MQTTBrokerLimits(connack.properties)
        let assigned = connack.properties.assignedClientIdentifier
        if let assigned { clientID = assigned }
        streams[0] = .control
        let facts = ConnackFacts(
            isSessionPresent: connack.sessionPresent, clientID: clientID, isClientIDAssigned: assigned != nil,
            keepAlive: .seconds(Int64(connack.properties.serverKeepAlive ?? configuration.keepAlive.wholeSeconds())),
            limits: limits, responseInformation: connack.properties.responseInformation,
            reason: connack.properties.reasonString, userProperties: connack.properties.publicUserProperties)
        return [.connected(facts)] + (connack.sessionPresent ? resume() : startOver())
    }

    /// The broker knows the session. What it may not have got is sent again ([MQTT-4.4.0-1]).
    private mutating func resume() -> [ClientAction] {
        if isSessionDoubtful {
            isSessionDoubtful = false
            let granted = subscriptions.entries.values.filter(\.isGranted)
            ledger.doubts(granted.flatMap { $0.subscriptions.map(\.filter) })
        }
        let published = flows[0].takeInFlight { if case .published = $0 { true } else { false } }
        flows[0].putBack(published)
        let released = flows[0].inFlight.sorted { $0.value.publish.order < $1.value.publish.order }
        return released.flatMap { send(.pubrel(PublishAck(packetID: $0.key))) } + sendRequests()
    }

    /// The broker knows nothing of the session. Messages of QoS 1 are sent as new ones. Those of QoS 2 that were sent
    /// cannot be: the broker may have passed them on.
    private mutating func startOver() -> [ClientAction] {
        var actions: [ClientAction] = []
        incoming.sessionLost()
        ledger.forget()
        isSessionDoubtful = false
        for lane in flows.indices {
            let lost = flows[lane].takeSentExactlyOnce()
            for publish in lost {
                settle(publish)
                if publish.hasWaiter {
                    actions.append(
                        .published(publish.operation, .failure(.deliveryUnknown(topic: publish.message.topic))))
                }
            }
            let rest = flows[lane].takeAll(isSent: false)
            // Those whose callers were told of a failure, or do not wait any more, are not sent a second time.
            for publish in rest where !publish.hasWaiter { settle(publish, from: lane) }
            flows[lane].putBack(rest.filter(\.hasWaiter))
        }
        // All of them are made anew, each with what the others need.
        unsentRequests.removeAll { if case .refresh = $0 { true } else { $0.operation == .none } }
        // In front of the requests that wait, because an UNSUBSCRIBE among them may be for one of these.
        for (operation, entry) in subscriptions.inOrder.reversed() where entry.isGranted {
            let isAsked = unsentRequests.contains { $0.operation == operation }
            guard !isAsked else { continue }
            unsentRequests.prepend(.subscribe(operation, entry.subscriptions, isAgain: true))
        }
        return actions + sendRequests()
    }

    /// The streams for lanes 1 and on. There may be fewer than lanes.
    package mutating func opened(_ dataStreams: [LinkStream]) {
        for lane in flows.indices.dropFirst() {
            streams[lane] = lane <= dataStreams.count ? dataStreams[lane - 1] : nil
            if streams[lane] == nil { divert(lane, isSent: true) }
        }
    }

    /// A data stream has ended. What was not acknowledged there is sent again on the control stream.
    package mutating func ended(_ stream: LinkStream) {
        guard let lane = streams.firstIndex(of: stream), lane > 0 else { return }
        streams[lane] = nil
        divert(lane, isSent: true)
    }

    /// The connection is gone, or no longer wanted.
    package mutating func connectionLost() {
        if phase == .connecting, connectMayHaveArrived { isSessionDoubtful = true }
        become(.offline)
        incoming.connectionLost()
        for lane in flows.indices.dropFirst() {
            // A new stream knows nothing of the packet identifiers of the old one.
            flows[lane].putBack(flows[lane].takeAll(isSent: true))
        }
        streams = Array(repeating: nil, count: flows.count)
        for (packetID, request) in sentRequests.sorted(by: { $0.value.operation < $1.value.operation }).reversed() {
            flows[0].identifiers.free(packetID)
            // Whether the broker has carried it out is not known, and it may be cancelled before it is sent again.
            ledger.doubts(request.filters)
            if case .undo = request { continue }
            unsentRequests.prepend(request)
        }
        sentRequests = [:]
    }

    /// DISCONNECT. 3.1.1 has nothing to say in it.
    func disconnectPacket(
        reason: MQTTReasonCode, sessionExpiry: Duration?, userProperties: [MQTTUserProperty]
    ) -> [ClientAction] {
        guard phase == .online else { return [] }
        var properties = Properties()
        if version.hasProperties {
            properties.append(userProperties)
            // A session that had no expiry cannot be given one now ([MQTT-3.14.2-2]).
            if configuration.sessionExpiry > .zero { properties.sessionExpiryInterval = sessionExpiry?.wholeSeconds() }
        }
        return send(
            .disconnect(
                Disconnect(reasonCode: version.hasProperties ? reason.rawValue : 0, properties: properties)))
    }
}

extension MQTTClientConfiguration {
    /// Whether the broker keeps the session when a connection is lost.
    var outlivesConnections: Bool {
        switch version {
        case .v3_1_1: !cleanStart
        case .v5_0: sessionExpiry > .zero
        }
    }
}

extension MQTTWill {
    fileprivate func codec(_ version: MQTTCodec.MQTTVersion) -> Will {
        var properties = Properties()
        if version.hasProperties {
            properties = message.properties.codec
            let delay = delay.wholeSeconds(as: UInt32.self)
            if delay > 0 { properties.willDelayInterval = delay }
        }
        return Will(
            topic: message.topic, payload: message.payload, qos: message.qos.codec, retain: message.isRetained,
            properties: properties)
    }
}
