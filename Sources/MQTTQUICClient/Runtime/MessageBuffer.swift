import DequeModule
import Synchronization

/// The messages of one subscription that have come and were not taken yet. Filled on the client's event loop, emptied
/// by the application's task.
///
/// It does not refuse messages. When it is full, the runtime stops giving credit, so that no more than the link's
/// window comes on top. While a task waits for an answer that is behind the messages, the runtime goes on by what the
/// buffer holds: see ``Level``.
final class MessageBuffer: Sendable {
    typealias Delivery = IncomingFlow.Delivery
    typealias Continuation = CheckedContinuation<Result<MQTTMessage?, MQTTClientError>, Never>

    /// How much a buffer holds.
    enum Level: Int, Comparable, Sendable {
        case hasRoom
        /// The broker may send more only for the sake of an answer.
        case full
        /// It holds `mostBytes`: what may be dropped is dropped for the sake of an answer.
        case overfull
        /// It holds twice `mostBytes`, and the broker may send nothing more.
        case closed

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// A buffer whose messages weigh this much is full, however few they are.
    private static let fullBytes = 1_048_576
    /// How much may be kept for the sake of an answer before messages of QoS 0 are dropped.
    static let mostBytes = 3 * 1_048_576

    private struct Item {
        let message: MQTTMessage
        let weight: Int
        let delivery: Delivery?
    }

    private struct State {
        var items: Deque<Item> = []
        var bytes = 0
        var waiter: Continuation?
        /// What is told when the messages are all taken; `nil` as long as there may be more.
        var end: Result<MQTTMessage?, MQTTClientError>?
    }

    private let limit: Int
    private let state = Mutex(State())
    /// Called from the task that has taken a message, if that has to be given back or the level is lower now.
    private let onTaken: @Sendable (Delivery?) -> Void

    /// - Parameter limit: With this many messages it is full.
    init(limit: Int, onTaken: @escaping @Sendable (Delivery?) -> Void) {
        self.limit = max(limit, 1)
        self.onTaken = onTaken
    }

    var level: Level { state.withLock { level(of: $0) } }

    var isFull: Bool { level >= .full }

    /// What the messages that wait to be taken weigh, payloads and all that is with them.
    var bytes: Int { state.withLock { $0.bytes } }

    private func level(of state: State) -> Level {
        switch state.bytes {
        case (2 * Self.mostBytes)...: .closed
        case Self.mostBytes...: .overfull
        case Self.fullBytes...: .full
        default: state.items.count >= limit ? .full : .hasRoom
        }
    }

    func append(_ message: MQTTMessage, _ delivery: Delivery?) {
        let waiter = state.withLock { state -> Continuation? in
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            let weight = message.weight
            state.items.append(Item(message: message, weight: weight, delivery: delivery))
            state.bytes += weight
            return nil
        }
        guard let waiter else { return }
        waiter.resume(returning: .success(message))
        if delivery != nil { onTaken(delivery) }
    }

    /// No message comes any more. Those that are there can still be taken.
    func finish(_ error: MQTTClientError?) {
        let end: Result<MQTTMessage?, MQTTClientError> = error.map { .failure($0) } ?? .success(nil)
        let waiter = state.withLock { state -> Continuation? in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: end)
    }

    /// Gives up what nobody will take.
    /// - Returns: What was to be given back for them.
    func drain() -> [Delivery] {
        state.withLock { state in
            defer {
                state.items = []
                state.bytes = 0
            }
            return state.items.compactMap(\.delivery)
        }
    }

    /// The next message, as soon as there is one. `nil` is the end.
    func next() async -> Result<MQTTMessage?, MQTTClientError> {
        if let result = take() { return result }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let result = wait(continuation) { continuation.resume(returning: result) }
                if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
    }

    private func take() -> Result<MQTTMessage?, MQTTClientError>? {
        let (result, taken, isLower) = state.withLock { take(&$0) }
        if taken != nil || isLower { onTaken(taken) }
        return result
    }

    private func take(_ state: inout State) -> (Result<MQTTMessage?, MQTTClientError>?, Delivery?, isLower: Bool) {
        let before = level(of: state)
        guard let item = state.items.popFirst() else { return (state.end, nil, false) }
        state.bytes -= item.weight
        return (.success(item.message), item.delivery, level(of: state) < before)
    }

    /// - Returns: What the caller need not wait for.
    private func wait(_ continuation: Continuation) -> Result<MQTTMessage?, MQTTClientError>? {
        let (result, taken, isLower) = state.withLock { state in
            guard state.waiter == nil else {
                let misuse = MQTTClientError.invalidArgument("two tasks wait for messages of one sequence: use one")
                return (Result<MQTTMessage?, MQTTClientError>.failure(misuse) as Result?, nil as Delivery?, false)
            }
            let next = take(&state)
            if next.0 == nil { state.waiter = continuation }
            return next
        }
        if taken != nil || isLower { onTaken(taken) }
        return result
    }

    private func cancel() {
        let waiter = state.withLock { state -> Continuation? in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: .failure(.cancelled))
    }
}

extension Deque {
    fileprivate mutating func popFirst() -> Element? { isEmpty ? nil : removeFirst() }
}
