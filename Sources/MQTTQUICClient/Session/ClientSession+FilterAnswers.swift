import MQTTCodec

extension ClientSession {
    /// A request that the broker did not accept, or that cannot be sent.
    mutating func failed(_ request: FilterRequest, _ error: MQTTClientError) -> [ClientAction] {
        switch request {
        case .subscribe(let operation, _, let isAgain):
            _ = subscriptions.remove(operation)
            ledger.refused(request.filters, subscriptions)
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
        guard codes.count == request.filters.count else {
            return fault(
                .protocolError, "its SUBACK has \(codes.count) codes for \(request.filters.count) filters")
        }
        let reason = suback.properties.reasonString
        let actions: [ClientAction]
        switch request {
        case .subscribe(let operation, let list, let isAgain):
            if isAgain {
                actions = answeredAgain(operation, list, codes, reason)
            } else if let refusal = codes.first, codes.allSatisfy(\.isError) {
                actions = failed(request, .rejected(refusal, reason: reason))
            } else {
                granted(operation, list, codes)
                actions = [.subscribed(operation, .success(codes))]
            }
        case .undo:
            refused(request.filters, codes)
            actions = []
        // If it is refused, the broker has kept what it had.
        case .refresh: actions = []
        case .unsubscribe: return fault(.protocolError, "its SUBACK is for an UNSUBSCRIBE")
        }
        return actions + sendRequests()
    }

    private mutating func granted(
        _ operation: ClientOperation, _ list: [MQTTSubscription], _ codes: [MQTTReasonCode]
    ) {
        subscriptions.granted(operation, list, codes)
        refused(list.map(\.filter), codes)
    }

    private mutating func refused(_ filters: [String], _ codes: [MQTTReasonCode]) {
        ledger.refused(zip(filters, codes).filter { $0.1.isError }.map(\.0), subscriptions)
    }

    /// The application was told long ago that it is subscribed, so that it has to hear of what was refused now.
    private mutating func answeredAgain(
        _ operation: ClientOperation, _ list: [MQTTSubscription], _ codes: [MQTTReasonCode], _ reason: String?
    ) -> [ClientAction] {
        guard subscriptions.entries[operation] != nil else { return [] }
        granted(operation, list, codes)
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
        let told = hasWaiter ? ended + [.unsubscribed(operation, .success(codes))] : ended
        return told + sendRequests()
    }
}
