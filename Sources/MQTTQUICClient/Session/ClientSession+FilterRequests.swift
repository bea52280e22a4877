import MQTTCodec
import NIOCore

// SUBSCRIBE and UNSUBSCRIBE on their way out.
extension ClientSession {
    /// Sends the requests that wait, and then what the broker has to be told besides.
    mutating func sendRequests() -> [ClientAction] {
        var actions = sendUnsent()
        while correct() { actions += sendUnsent() }
        return actions
    }

    private mutating func sendUnsent() -> [ClientAction] {
        var actions: [ClientAction] = []
        while let next = unsentRequests.first {
            guard let packetID = flows[0].identifiers.allocate() else { break }
            unsentRequests.removeFirst()
            let request = present(next)
            guard !request.filters.isEmpty else {
                flows[0].identifiers.free(packetID)
                continue
            }
            do throws(MQTTClientError) {
                actions.append(.send(try encode(request, packetID), on: .control))
                sentRequests[packetID] = request
            } catch {
                flows[0].identifiers.free(packetID)
                actions += failed(request, error)
            }
        }
        return actions
    }

    /// Puts in line what the broker has to be told of filters that no request is under way for.
    ///
    /// - Returns: Whether there is something.
    private mutating func correct() -> Bool {
        guard !ledger.isSettled else { return false }
        let busy = Set((unsentRequests + sentRequests.values).flatMap(\.filters))
        // MQTT 3.1.1 has no identifiers, and cannot ask that retained messages are not sent again.
        let corrections = ledger.corrections(subscriptions, except: busy, optionsMatter: version.hasProperties)
        if !corrections.unsubscribe.isEmpty {
            unsentRequests.append(.unsubscribe(.none, corrections.unsubscribe, [], hasWaiter: false))
        }
        for (owner, filters) in corrections.refresh.sorted(by: { $0.key < $1.key }) {
            unsentRequests.append(.refresh(owner, filters))
        }
        return corrections != FilterLedger.Corrections()
    }

    /// What is left of a request when its turn has come: a filter may have gone to another subscription meanwhile.
    private func present(_ request: FilterRequest) -> FilterRequest {
        guard case .refresh(let owner, let filters) = request else { return request }
        return .refresh(owner, filters.filter { subscriptions.shared($0)?.owner == owner })
    }

    /// What a refresh asks for.
    private func subscriptions(of filters: [String]) -> [MQTTSubscription] {
        filters.compactMap { filter in
            var subscription = subscriptions.shared(filter)?.subscription
            // The retained messages have come already.
            subscription?.retainHandling = .never
            return subscription
        }
    }

    private mutating func encode(
        _ request: FilterRequest, _ packetID: UInt16
    ) throws(MQTTClientError) -> ByteBuffer {
        let packet: Packet
        switch request {
        case .subscribe(let operation, let list, _), .undo(let operation, let list):
            packet = .subscribe(try subscribe(operation, list, packetID))
        case .refresh(let owner, let filters):
            packet = .subscribe(try subscribe(owner, subscriptions(of: filters), packetID))
        case .unsubscribe(_, let filters, let userProperties, _):
            ledger.unsubscribes(filters)
            var properties = Properties()
            properties.append(userProperties)
            packet = .unsubscribe(Unsubscribe(packetID: packetID, properties: properties, filters: filters))
        }
        let bytes: ByteBuffer
        do throws(MQTTError) {
            bytes = try packet.encode(version: version)
        } catch {
            throw .invalidArgument(error.description)
        }
        try checkSize(bytes.readableBytes)
        return bytes
    }

    private mutating func subscribe(
        _ operation: ClientOperation, _ list: [MQTTSubscription], _ packetID: UInt16
    ) throws(MQTTClientError) -> Subscribe {
        let list = list.map { subscriptions.merged($0) }
        ledger.subscribes(operation, list)
        for subscription in list {
            guard limits.hasSharedSubscriptions || !TopicFilter.isShared(subscription.filter) else {
                throw .notSupportedByBroker("shared subscriptions")
            }
            guard
                limits.hasWildcardSubscriptions
                    || !subscription.filter.utf8.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "+") })
            else { throw .notSupportedByBroker("wildcards in filters") }
        }
        var properties = Properties()
        if version.hasProperties {
            if limits.hasSubscriptionIdentifiers {
                let identifier =
                    subscriptions.entries[operation]?.identifier ?? SubscriptionTable.identifier(for: operation)
                subscriptions.identify(operation, identifier)
                properties.subscriptionIdentifiers = [identifier]
            } else if let identifier = subscriptions.entries[operation]?.identifier {
                guard identifier >= SubscriptionTable.firstOwnIdentifier else {
                    throw .notSupportedByBroker("subscription identifiers")
                }
            }
            properties.append(subscriptions.entries[operation]?.userProperties ?? [])
        }
        return Subscribe(packetID: packetID, properties: properties, subscriptions: list.map(\.codec))
    }

    func checkSize(_ bytes: Int) throws(MQTTClientError) {
        guard let limit = limits.maximumPacketSize, bytes > limit else { return }
        throw .packetTooLarge(bytes: bytes, limit: limit)
    }
}
