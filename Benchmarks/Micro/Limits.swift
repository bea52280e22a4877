import Foundation

/// What `Benchmarks/thresholds.json` holds: the counts per packet or message that were measured when the limits were
/// last set. What is a tenth above is too much.
package struct Limits: Codable, Equatable {
    /// The system on which the counts were taken. Another compiler or another ngtcp2 has other counts.
    package var system: String
    /// Counts by their name, for example `quic.request.allocations`.
    package var counts: [String: Double]

    package init(system: String, counts: [String: Double] = [:]) {
        self.system = system
        self.counts = counts
    }

    /// How much of a count may be added to it, as a part of it.
    static let tolerance = 0.1
    /// How much may be added besides, per packet or message: of a small count, a tenth is less than what chance does.
    static let slack = 0.05

    /// The highest count that is still within the limit.
    package static func highest(for count: Double) -> Double { count * (1 + tolerance) + slack }

    /// Below this count, the limit can be lowered.
    package static func lowest(for count: Double) -> Double { count * (1 - tolerance) - slack }
}

extension Limits {
    /// Reads the file.
    package init(contentsOf path: String) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw BenchmarkError(message: "\(path) can't be read as limits: \(error)")
        }
    }

    /// Writes the file, in an order that makes changes easy to see.
    package func write(to path: String) throws {
        let rounded = Limits(system: system, counts: counts.mapValues(Self.rounded))
        try Self.write(rounded, to: path)
    }

    /// Two digits behind the point are enough to compare, and four digits in all.
    static func rounded(_ count: Double) -> Double {
        let step = count >= 100 ? 1.0 : 100.0
        return (count * step).rounded() / step
    }

    /// Reads counts by name, as a measurement has written them.
    package static func counts(contentsOf path: String) throws -> [String: Double] {
        do {
            return try JSONDecoder().decode([String: Double].self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw BenchmarkError(message: "\(path) can't be read as counts: \(error)")
        }
    }

    /// Writes counts by name.
    package static func write(counts: [String: Double], to path: String) throws {
        try write(counts, to: path)
    }

    private static func write(_ value: some Encodable, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try (encoder.encode(value) + Data("\n".utf8)).write(to: URL(filePath: path), options: .atomic)
    }
}
