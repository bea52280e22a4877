import MQTTCodec
import NIOCore

// Waiting tasks that were cancelled, or that have to be told that there is no connection.
extension ClientSession {
    /// Nobody waits for a message any more. One that was not sent is not sent; for one that was, the protocol goes on.
    mutating func cancelPublish(_ operation: ClientOperation) -> [ClientAction] {
        for lane in flows.indices {
            if let index = flows[lane].waiting.firstIndex(where: { $0.operation == operation }) {
                guard flows[lane].waiting[index].hasWaiter else { return [] }
                if flows[lane].waiting[index].packetID != nil || flows[lane].waiting[index].isSent {
                    flows[lane].waiting[index].hasWaiter = false
                } else {
                    settle(flows[lane].waiting.remove(at: index), from: lane)
                }
                return [.published(operation, .failure(.cancelled))]
            }
            if flows[lane].forgetWaiter(of: operation) { return [.published(operation, .failure(.cancelled))] }
        }
        return []
    }

    /// There will be no connection for now. All waiting tasks are told so. Messages that the broker may have got
    /// remain, because the session may be resumed.
    mutating func giveUp(_ error: MQTTClientError) -> [ClientAction] {
        var actions: [ClientAction] = []
        for lane in flows.indices {
            let kept = configuration.outlivesConnections
            let waiting = flows[lane].waiting
            flows[lane].waiting = []
            for var publish in waiting {
                if publish.hasWaiter { actions.append(.published(publish.operation, .failure(error))) }
                publish.hasWaiter = false
                if kept, publish.packetID != nil { flows[lane].waiting.append(publish) } else { drop(publish, lane) }
            }
            for (packetID, known) in flows[lane].inFlight {
                if known.publish.hasWaiter { actions.append(.published(known.publish.operation, .failure(error))) }
                flows[lane].inFlight[packetID] = kept ? known.withoutWaiter : nil
                if !kept { drop(known.publish, lane) }
            }
        }
        return actions + giveUpRequests(error)
    }

    private mutating func drop(_ publish: OutgoingPublish, _ lane: Int) {
        if let packetID = publish.packetID { flows[lane].identifiers.free(packetID) }
        settle(publish, from: lane)
    }

    private mutating func giveUpRequests(_ error: MQTTClientError) -> [ClientAction] {
        var actions: [ClientAction] = []
        let requests = unsentRequests + sentRequests.sorted { $0.value.operation < $1.value.operation }.map(\.value)
        for packetID in sentRequests.keys { flows[0].identifiers.free(packetID) }
        unsentRequests = []
        sentRequests = [:]
        // The broker may keep them for a later connection.
        ledger.forget()
        for request in requests {
            switch request {
            case .subscribe(let operation, _, isAgain: false):
                _ = subscriptions.remove(operation)
                actions.append(.subscribed(operation, .failure(error)))
            case .unsubscribe(let operation, _, _, hasWaiter: true):
                actions.append(.unsubscribed(operation, .failure(error)))
            case .subscribe, .unsubscribe, .undo, .refresh: break
            }
        }
        for (operation, _) in subscriptions.inOrder {
            _ = subscriptions.remove(operation)
            actions.append(.subscriptionEnded(operation, error))
        }
        return actions
    }
}

extension OutgoingFlow {
    /// - Returns: Whether somebody had waited for that one.
    fileprivate mutating func forgetWaiter(of operation: ClientOperation) -> Bool {
        for (packetID, known) in inFlight where known.publish.operation == operation {
            guard known.publish.hasWaiter else { return false }
            inFlight[packetID] = known.withoutWaiter
            return true
        }
        return false
    }
}

extension OutgoingFlow.InFlight {
    fileprivate var withoutWaiter: Self {
        var publish = publish
        publish.hasWaiter = false
        return switch self {
        case .published: .published(publish)
        case .released: .released(publish)
        }
    }
}
