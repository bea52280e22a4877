/// What a sequence of messages holds on to. When the last copy of the sequence and its iterators is gone, the client
/// unsubscribes.
final class SubscriptionHandle: Sendable {
    let buffer: MessageBuffer
    private let letGo: @Sendable () -> Void

    init(_ buffer: MessageBuffer, letGo: @escaping @Sendable () -> Void) {
        self.buffer = buffer
        self.letGo = letGo
    }

    deinit { letGo() }
}
