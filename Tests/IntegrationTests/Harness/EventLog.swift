import Foundation

/// The events that a program or a client reported, in order, and the means to wait for one of them.
///
/// `take` returns each element only once; `first` only looks at them.
actor EventLog<Element: Sendable> {
    /// How long to wait for an element. It is generous, because only a failing test ever waits that long.
    static var patience: Duration { .seconds(30) }

    private var elements: [Element] = []
    private var taken: Set<Int> = []
    private var waiters: [UUID: Waiter] = [:]
    private var end: String?

    private struct Waiter {
        let takes: Bool
        let predicate: @Sendable (Element) -> Bool
        let continuation: CheckedContinuation<Element?, Never>
    }

    /// All elements so far, taken or not.
    var all: [Element] { elements }

    /// The number of elements so far.
    var count: Int { elements.count }

    func append(_ element: Element) {
        elements.append(element)
        for (id, waiter) in waiters where waiter.predicate(element) {
            if waiter.takes {
                guard taken.insert(elements.count - 1).inserted else { continue }
            }
            waiters[id] = nil
            waiter.continuation.resume(returning: element)
        }
    }

    /// Ends the log: no more elements will come, and every wait for one fails.
    func finish(_ why: String) {
        end = why
        for waiter in waiters.values {
            waiter.continuation.resume(returning: nil)
        }
        waiters.removeAll()
    }

    /// Takes the first element that fits and has not been taken. Waits for such an element, and throws if none comes.
    func take(
        _ what: String, within patience: Duration = EventLog.patience,
        where predicate: @escaping @Sendable (Element) -> Bool
    ) async throws -> Element {
        for index in elements.indices where !taken.contains(index) && predicate(elements[index]) {
            taken.insert(index)
            return elements[index]
        }
        return try await wait(for: what, within: patience, takes: true, where: predicate)
    }

    /// Returns the first element from index `start` on that fits. Waits for such an element, and throws if none comes.
    func first(
        _ what: String, from start: Int = 0, within patience: Duration = EventLog.patience,
        where predicate: @escaping @Sendable (Element) -> Bool
    ) async throws -> Element {
        for element in elements.dropFirst(start) where predicate(element) {
            return element
        }
        return try await wait(for: what, within: patience, takes: false, where: predicate)
    }

    /// Whether the elements so far include one that fits and has not been taken.
    func contains(where predicate: (Element) -> Bool) -> Bool {
        elements.indices.contains { !taken.contains($0) && predicate(elements[$0]) }
    }

    private func wait(
        for what: String, within patience: Duration, takes: Bool, where predicate: @escaping @Sendable (Element) -> Bool
    ) async throws -> Element {
        let id = UUID()
        let timer = Task {
            try await Task.sleep(for: patience)
            giveUp(id)
        }
        defer { timer.cancel() }
        let found: Element? = await withCheckedContinuation { continuation in
            if end != nil {
                continuation.resume(returning: nil)
            } else {
                waiters[id] = Waiter(takes: takes, predicate: predicate, continuation: continuation)
            }
        }
        guard let found else {
            throw HarnessError("waited for \(what): \(end ?? "it did not come within \(patience)")", tail())
        }
        return found
    }

    private func giveUp(_ id: UUID) {
        waiters.removeValue(forKey: id)?.continuation.resume(returning: nil)
    }

    /// The last elements, each cut: one may hold a message of hundreds of megabytes.
    private func tail() -> String {
        elements.suffix(20).map { String(String(describing: $0).prefix(2_000)) }.joined(separator: "\n")
    }
}

/// Why a test cannot continue, with the last events that were seen.
struct HarnessError: Error, CustomStringConvertible {
    let message: String
    let seen: String

    init(_ message: String, _ seen: String = "") {
        self.message = message
        self.seen = seen
    }

    var description: String { seen.isEmpty ? message : "\(message)\nlast events:\n\(seen)" }
}
