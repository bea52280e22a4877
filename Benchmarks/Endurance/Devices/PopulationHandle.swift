import NIOCore

/// The population, for the thread that makes the troubles.
struct PopulationHandle: Sendable {
    private let bound: NIOLoopBound<Population>
    private let eventLoop: any EventLoop

    init(on eventLoop: any EventLoop, _ make: @escaping @Sendable () throws -> Population) throws {
        self.eventLoop = eventLoop
        bound = try eventLoop.submit { NIOLoopBound(try make(), eventLoop: eventLoop) }.wait()
    }

    /// Seconds since the beginning of the run.
    var now: Double { value { $0.accounts.now } }

    func perform(_ body: @escaping @Sendable (Population) -> Void) {
        try? eventLoop.submit { [bound] in body(bound.value) }.wait()
    }

    func value<Value: Sendable>(_ body: @escaping @Sendable (Population) -> Value) -> Value {
        // A closure that does not throw fails only on an event loop that has ended, and this one ends with the run.
        do {
            return try eventLoop.submit { [bound] in body(bound.value) }.wait()
        } catch {
            preconditionFailure("the event loop of the run has ended: \(error)")
        }
    }

    /// - Returns: its place in the log, for `end`.
    func begin(_ kind: Trouble.Kind, _ group: Group?) -> Int {
        value { $0.accounts.troubles.begin(Trouble(kind, group, begin: $0.accounts.now)) }
    }

    func end(_ index: Int) {
        perform { $0.accounts.troubles.end(index, at: $0.accounts.now) }
    }
}
