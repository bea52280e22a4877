import Foundation

/// What one program used over the run.
package struct Watch: Sendable, Codable, Equatable {
    package struct Sample: Sendable, Codable, Equatable {
        /// In seconds from the beginning of the run.
        package let time: Double
        package let pid: Int32
        package var residentKiB: Int?
        package var allocatedKiB: Int?
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

    /// One row of the report: the medians of the three thirds of a time, and the highest of a quantity.
    package struct Row: Sendable, Codable, Equatable {
        package let name: String
        package let first: Double
        package let middle: Double
        package let last: Double
        package let highest: Double
        /// What makes this a fault; `nil` for none.
        package var fault: String?
    }

    /// What of a program's last life can be compared.
    package struct Span: Sendable, Codable, Equatable {
        /// In seconds from the beginning of the run.
        package let begin: Double
        package let end: Double
        /// Whether it is long enough for a verdict.
        package let isJudged: Bool

        package init(begin: Double, end: Double, isJudged: Bool) {
            self.begin = begin
            self.end = end
            self.isJudged = isJudged
        }
    }

    package let program: String
    package private(set) var samples: [Sample] = []

    package init(program: String) {
        self.program = program
    }

    package mutating func add(_ sample: Sample) {
        samples.append(sample)
    }

    /// A life is judged if this much of it is steady, in seconds.
    package static let shortest = 300.0
    /// How long a process that has begun is not steady, in seconds.
    private static let warmUp = 60.0

    /// The steady part of the last life of the program.
    ///
    /// - Parameters:
    ///   - settled: when the troubles end that start other processes again, in seconds. Before, the load varies more, so
    ///     that time is left out if what follows is long enough.
    ///   - end: when the load ends, in seconds.
    package func span(settled: Double, end: Double) -> Span {
        let pid = samples.last?.pid
        let begin = max(samples.first { $0.pid == pid }?.time ?? end, TroubleSchedule.warmUp) + Self.warmUp
        let late = max(begin, settled + Self.warmUp)
        let start = min(end - late >= Self.shortest ? late : begin, end)
        return Span(begin: start, end: end, isJudged: end - start >= Self.shortest)
    }

    /// Compares the thirds of a span.
    package func rows(_ span: Span) -> [Row] {
        let rows = compared(span)
        guard !span.isJudged else { return rows }
        return rows.map {
            Row(name: $0.name, first: $0.first, middle: $0.middle, last: $0.last, highest: $0.highest)
        }
    }

    private func compared(_ span: Span) -> [Row] {
        let third = (span.end - span.begin) / 3
        let thirds = (0..<3).map { index in
            samples.filter {
                let begin = span.begin + Double(index) * third
                return $0.time >= begin && ($0.time < begin + third || (index == 2 && $0.time <= span.end))
            }
        }
        return [
            level("memory, MiB", thirds, allowance: 8) { $0.residentKiB.map { Double($0) / 1024 } },
            level("allocated, MiB", thirds, allowance: 8) { $0.allocatedKiB.map { Double($0) / 1024 } },
            level("descriptors", thirds, allowance: 30) { $0.descriptors.map(Double.init) },
            level("threads", thirds, allowance: 2) { $0.threads.map(Double.init) },
            rate("timer firings/s", thirds, until: span.end, isJudged: true) { a, b in
                guard let before = a.timerFirings, let after = b.timerFirings else { return nil }
                return Double(after - before) / (b.time - a.time)
            },
            rate("CPU, us/message", thirds, until: span.end, isJudged: false) { a, b in
                guard let before = a.cpuMicroseconds, let after = b.cpuMicroseconds, b.messages > a.messages else {
                    return nil
                }
                return (after - before) / Double(b.messages - a.messages)
            },
        ].compactMap(\.self)
    }

    /// How much more than its first level a quantity may have at the end, besides the fixed allowance.
    private static let growth = 1.1
    /// How much more than in the third before a quantity may have in each of two thirds, besides one: small programs
    /// become warm slowly.
    private static let step = 1.04

    private func level(
        _ name: String, _ thirds: [[Sample]], allowance: Double, _ value: (Sample) -> Double?
    ) -> Row? {
        guard let row = row(name, thirds.map { $0.compactMap(value) }, highest: samples.compactMap(value).max()) else {
            return nil
        }
        var judged = row
        if row.last > row.first * Self.growth + allowance {
            judged.fault = "more than \(Int(row.first * Self.growth + allowance))"
        } else if row.middle > row.first * Self.step + 1, row.last > row.middle * Self.step + 1 {
            judged.fault = "more in each third, with \(String(format: "%.1f", row.middle)) between"
        }
        return judged
    }

    private func row(_ name: String, _ thirds: [[Double]], highest: Double?) -> Row? {
        let medians = thirds.compactMap(Self.median)
        guard medians.count == 3, let highest else { return nil }
        return Row(name: name, first: medians[0], middle: medians[1], last: medians[2], highest: highest)
    }

    /// Rates vary with the load, so that only a multiple is a fault. CPU time also depends on what else the machine
    /// does, and is only shown.
    private func rate(
        _ name: String, _ thirds: [[Sample]], until end: Double, isJudged: Bool, _ value: (Sample, Sample) -> Double?
    ) -> Row? {
        func values(_ samples: [Sample]) -> [Double] {
            zip(samples, samples.dropFirst()).compactMap { $0.pid == $1.pid && $1.time > $0.time ? value($0, $1) : nil }
        }
        // Without a steady load there is nothing to divide by.
        let loaded = samples.filter { $0.time > TroubleSchedule.warmUp && $0.time <= end }
        guard var row = row(name, thirds.map(values), highest: values(loaded).max()) else { return nil }
        if isJudged, row.last > row.first * 2 + 50 { row.fault = "more than twice as many" }
        return row
    }

    private static func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
}
