/// What one program used over the run.
package struct Watch: Sendable, Codable, Equatable {
    package struct Sample: Sendable, Codable, Equatable {
        /// In seconds from the beginning of the run.
        package let time: Double
        package let pid: Int32
        package var residentKiB: Int?
        package var descriptors: Int?
        package var threads: Int?
        /// Since the process began.
        package var timerFirings: Int?
        package var cpuMicroseconds: Double?
        /// Messages of its group that have arrived since the run began, in both directions.
        package var messages = 0

        package init(time: Double, pid: Int32) {
            self.time = time
            self.pid = pid
        }
    }

    /// One row of the report: first, last and the highest of a quantity.
    package struct Row: Sendable, Codable, Equatable {
        package let name: String
        package let first: Double
        package let last: Double
        package let highest: Double
        /// What makes this a fault; `nil` for none.
        package var fault: String?
    }

    package let program: String
    package private(set) var samples: [Sample] = []

    package init(program: String) {
        self.program = program
    }

    package mutating func add(_ sample: Sample) {
        samples.append(sample)
    }

    /// Compares the end of a process's life with its beginning.
    ///
    /// - Parameters:
    ///   - start: when the last life of a program has begun and become steady, in seconds.
    ///   - end: when the load ends, in seconds.
    ///   - isJudged: whether the time between is long enough for a verdict.
    package func rows(from start: Double, to end: Double, isJudged: Bool = true) -> [Row] {
        let rows = compared(from: start, to: end)
        return isJudged ? rows : rows.map { Row(name: $0.name, first: $0.first, last: $0.last, highest: $0.highest) }
    }

    private func compared(from start: Double, to end: Double) -> [Row] {
        let sixth = (end - start) / 6
        let first = samples.filter { $0.time >= start && $0.time <= start + sixth }
        let last = samples.filter { $0.time > end - sixth && $0.time <= end }
        return [
            level("memory, MiB", first, last, allowance: 16) { $0.residentKiB.map { Double($0) / 1024 } },
            level("descriptors", first, last, allowance: 30) { $0.descriptors.map(Double.init) },
            level("threads", first, last, allowance: 2) { $0.threads.map(Double.init) },
            rate("timer firings/s", first, last, until: end, isJudged: true) { a, b in
                guard let before = a.timerFirings, let after = b.timerFirings else { return nil }
                return Double(after - before) / (b.time - a.time)
            },
            rate("CPU, us/message", first, last, until: end, isJudged: false) { a, b in
                guard let before = a.cpuMicroseconds, let after = b.cpuMicroseconds, b.messages > a.messages else {
                    return nil
                }
                return (after - before) / Double(b.messages - a.messages)
            },
        ].compactMap(\.self)
    }

    /// How much more than its first level a quantity may have at the end, besides the fixed allowance.
    private static let growth = 1.1

    private func level(
        _ name: String, _ first: [Sample], _ last: [Sample], allowance: Double, _ value: (Sample) -> Double?
    ) -> Row? {
        guard let before = Self.median(first.compactMap(value)), let after = Self.median(last.compactMap(value)),
            let highest = samples.compactMap(value).max()
        else { return nil }
        var row = Row(name: name, first: before, last: after, highest: highest)
        if after > before * Self.growth + allowance {
            row.fault = "more than \(Int(before * Self.growth + allowance))"
        }
        return row
    }

    /// Rates vary with the load, so that only a multiple is a fault. CPU time also depends on what else the machine
    /// does, and is only shown.
    private func rate(
        _ name: String, _ first: [Sample], _ last: [Sample], until end: Double, isJudged: Bool,
        _ value: (Sample, Sample) -> Double?
    ) -> Row? {
        func values(_ samples: [Sample]) -> [Double] {
            zip(samples, samples.dropFirst()).compactMap { $0.pid == $1.pid && $1.time > $0.time ? value($0, $1) : nil }
        }
        // Without a steady load there is nothing to divide by.
        let loaded = samples.filter { $0.time > TroubleSchedule.warmUp && $0.time <= end }
        guard let before = Self.median(values(first)), let after = Self.median(values(last)),
            let highest = values(loaded).max()
        else { return nil }
        var row = Row(name: name, first: before, last: after, highest: highest)
        if isJudged, after > before * 2 + 50 { row.fault = "more than twice as many" }
        return row
    }

    private static func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
}
