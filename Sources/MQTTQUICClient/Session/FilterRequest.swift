/// A SUBSCRIBE or an UNSUBSCRIBE that has to be sent, or answered.
enum FilterRequest: Sendable {
    /// - Parameter isAgain: Whether the application was told long ago that it is subscribed.
    case subscribe(ClientOperation, [MQTTSubscription], isAgain: Bool)
    /// - Parameter hasWaiter: Whether somebody waits for the outcome.
    case unsubscribe(ClientOperation, [String], [MQTTUserProperty], hasWaiter: Bool)
    /// A SUBSCRIBE that nobody waits for any more: it is undone when it has been granted.
    case undo(ClientOperation, [MQTTSubscription])
    /// A SUBSCRIBE by which these filters become those of a subscription that was granted long ago, because a later one
    /// to the same filters is gone.
    case refresh(ClientOperation, [String])

    var operation: ClientOperation {
        switch self {
        case .subscribe(let operation, _, _), .unsubscribe(let operation, _, _, _), .undo(let operation, _),
            .refresh(let operation, _):
            operation
        }
    }
}
