/// A SUBSCRIBE or an UNSUBSCRIBE that has to be sent, or answered.
enum FilterRequest: Sendable {
    /// - Parameter isAgain: Whether the application was told long ago that it is subscribed.
    case subscribe(ClientOperation, [MQTTSubscription], isAgain: Bool)
    /// - Parameter hasWaiter: Whether somebody waits for the outcome.
    case unsubscribe(ClientOperation, [String], [MQTTUserProperty], hasWaiter: Bool)
    /// A SUBSCRIBE that nobody waits for any more: it is undone when it has been granted.
    case undo(ClientOperation, [MQTTSubscription])
    /// A SUBSCRIBE by which these filters become those of a subscription that was granted long ago, because others to
    /// the same filters are gone.
    case refresh(ClientOperation, [String])

    var operation: ClientOperation {
        switch self {
        case .subscribe(let operation, _, _), .unsubscribe(let operation, _, _, _), .undo(let operation, _),
            .refresh(let operation, _):
            operation
        }
    }

    var filters: [String] {
        switch self {
        case .subscribe(_, let list, _), .undo(_, let list): list.map(\.filter)
        case .unsubscribe(_, let filters, _, _), .refresh(_, let filters): filters
        }
    }
}
