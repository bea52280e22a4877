/// A SUBSCRIBE or an UNSUBSCRIBE that has to be sent, or answered.
enum FilterRequest: Sendable {
    /// - Parameter isAgain: Whether the application was told long ago that it is subscribed.
    case subscribe(ClientOperation, [MQTTSubscription], isAgain: Bool)
    /// - Parameter hasWaiter: Whether somebody waits for the outcome.
    case unsubscribe(ClientOperation, [String], [MQTTUserProperty], hasWaiter: Bool)
    /// A SUBSCRIBE that nobody waits for any more: it is undone when it has been granted.
    case undo(ClientOperation, [MQTTSubscription])

    var operation: ClientOperation {
        switch self {
        case .subscribe(let operation, _, _), .unsubscribe(let operation, _, _, _), .undo(let operation, _): operation
        }
    }

    /// What is left to do of a request that was sent and not answered: a SUBSCRIBE that nobody wants may have been
    /// granted.
    var afterConnectionLost: Self {
        guard case .undo(let operation, let list) = self else { return self }
        return .unsubscribe(operation, list.map(\.filter), [], hasWaiter: false)
    }
}
