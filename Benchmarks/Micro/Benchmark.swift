/// One thing that is measured alone: a layer of the program and what it does with one packet or message.
package struct Benchmark {
    /// The layer and the work, in the form `codec.decode-publish`.
    package let name: String
    /// How many packets or messages one round is. Figures are per packet or message.
    package let perRound: Int
    /// How many rounds are measured, after as many to warm up.
    package let rounds: Int
    /// Prepares the work, and returns it.
    package let prepare: () throws -> Work

    package init(_ name: String, perRound: Int = 1, rounds: Int, prepare: @escaping () throws -> Work) {
        self.name = name
        self.perRound = perRound
        self.rounds = rounds
        self.prepare = prepare
    }
}

/// Work that is ready to be done again and again.
package struct Work {
    /// Does one round.
    package let round: () throws -> Void
    /// Figures of the work's own since it began, such as datagrams sent.
    package let figures: () -> [String: Int]

    package init(figures: @escaping () -> [String: Int] = { [:] }, round: @escaping () throws -> Void) {
        self.round = round
        self.figures = figures
    }
}

/// What the library cannot know by itself: the command has it from C.
package struct Meter {
    /// How often this thread has allocated memory so far.
    package let allocations: () -> UInt64
    /// Runs the measured rounds, so that a profiler can tell them from the rest.
    package let section: (() -> Void) -> Void

    package init(allocations: @escaping () -> UInt64, section: @escaping (() -> Void) -> Void) {
        self.allocations = allocations
        self.section = section
    }
}

/// The figures of one benchmark.
package struct Measurement: Equatable {
    package let name: String
    /// Counts per packet or message by their name: `allocations`, and what the benchmark counts itself.
    package let counts: [String: Double]
    /// The time per packet or message, which depends on the machine.
    package let nanoseconds: Double
}

extension Benchmark {
    /// Warms up, and then measures.
    ///
    /// - Parameter scale: Divides the number of rounds. A profiler makes them slow.
    package func measure(with meter: Meter, dividedBy scale: Int = 1) throws -> Measurement {
        let work = try prepare()
        let rounds = max(rounds / scale, 1)
        for _ in 0..<rounds { try work.round() }

        let before = work.figures()
        var failure: (any Error)?
        var allocations: UInt64 = 0
        var time = Duration.zero
        meter.section {
            let clock = ContinuousClock()
            let start = clock.now
            let first = meter.allocations()
            do {
                for _ in 0..<rounds { try work.round() }
            } catch {
                failure = error
            }
            allocations = meter.allocations() - first
            time = clock.now - start
        }
        if let failure { throw failure }

        let count = Double(rounds * perRound)
        var counts = ["allocations": Double(allocations) / count]
        for (name, value) in work.figures() { counts[name] = Double(value - (before[name] ?? 0)) / count }
        let nanoseconds = Double(time.components.seconds) * 1e9 + Double(time.components.attoseconds) / 1e9
        return Measurement(name: name, counts: counts, nanoseconds: nanoseconds / count)
    }
}

/// Keeps a result from being optimized away together with the work that made it.
@inline(never)
@_optimize(none)
func consume<Value>(_ value: borrowing Value) {}
