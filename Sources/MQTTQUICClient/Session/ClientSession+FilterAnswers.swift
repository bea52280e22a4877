import MQTTCodec

extension ClientSession {
    /// A request that the broker did not accept, or that cannot be sent.
    mutating func failed(_ request: FilterRequest, _ error: MQTTClientError) -> [ClientAction] {
        switch request {
        case .subscribe(let operation, _, let isAgain):
            _ = subscriptions.remove(operation)
            return isAgain ? [.subscriptionEnded(operation, error)] : [.subscribed(operation, .failure(error))]
        case .unsubscribe(let operation, _, _, let hasWaiter):
            return hasWaiter ? [.unsubscribed(operation, .failure(error))] : []
        case .undo, .refresh: return []
        }
    }

    mutating func received(_ suback: Suback) -> [ClientAction] {
        guard let request = sentRequests.removeValue(forKey: suback.packetID) else {
            return fault(.protocolError, "its SUBACK is for no SUBSCRIBE")
        }
        flows[0].identifiers.free(suback.packetID)
        let codes = suback.codes.map(MQTTReasonCode.init)
        switch request {
        case .subscribe(let operation, let list, let isAgain):
            guard codes.count == list.count else {
                return fault(.protocolError, "its SUBACK has \(codes.count) codes for \(list.count) filters")
            }
            guard !isAgain else { return answeredAgain(operation, list, codes, suback.properties.reasonString) }
            guard let refusal = codes.first, codes.allSatisfy(\.isError) else {
                subscriptions.granted(operation, list, codes)
                return [.subscribed(operation, .success(codes))]
            }
            return failed(request, .rejected(refusal, reason: suback.properties.reasonString))
        case .undo(let operation, let list):
            let granted = zip(list, codes).filter { !$0.1.isError }.map(\.0.filter)
            let unused = granted.filter { filter in !subscriptions.isUsed(filter) }
            if !unused.isEmpty { unsentRequests.append(.unsubscribe(operation, unused, [], hasWaiter: false)) }
            refresh(granted)
            return sendRequests()
        // If it is refused, the broker has kept what it had.
        case .refresh: return []
        case .unsubscribe: return fault(.protocolError, "its SUBACK is for an UNSUBSCRIBE")
        }
    }

    /// The application was told long ago that it is subscribed, so that it has to hear of what was refused now.
    private mutating func answeredAgain(
        _ operation: ClientOperation, _ list: [MQTTSubscription], _ codes: [MQTTReasonCode], _ reason: String?
    ) -> [ClientAction] {
        guard subscriptions.entries[operation] != nil else { return [] }
        subscriptions.granted(operation, list, codes)
        let refusals = zip(list, codes).filter { $0.1.isError }
        let told = refusals.map { ClientAction.subscriptionRefused(filter: $0.0.filter, $0.1, reason: reason) }
        guard let first = refusals.first, subscriptions.entries[operation] == nil else { return told }
        return told + [.subscriptionEnded(operation, .rejected(first.1, reason: reason))]
    }

    mutating func received(_ unsuback: Unsuback) -> [ClientAction] {
        guard case .unsubscribe(let operation, let filters, _, let hasWaiter)? = sentRequests[unsuback.packetID] else {
            return fault(.protocolError, "its UNSUBACK is for no UNSUBSCRIBE")
        }
        sentRequests[unsuback.packetID] = nil
        flows[0].identifiers.free(unsuback.packetID)
        guard !version.hasProperties || unsuback.codes.count == filters.count else {
            return fault(
                .protocolError, "its UNSUBACK has \(unsuback.codes.count) codes for \(filters.count) filters")
        }
        let codes =
            version.hasProperties
            ? unsuback.codes.map(MQTTReasonCode.init) : Array(repeating: .success, count: filters.count)
        // The broker has carried it out, even if no task waits for that any more.
        let gone = zip(filters, codes).filter { !$0.1.isError }.map(\.0)
        let ended = subscriptions.remove(filters: gone).map { ClientAction.subscriptionEnded($0, nil) }
        return hasWaiter ? ended + [.unsubscribed(operation, .success(codes))] : ended
    }
}
