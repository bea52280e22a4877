import BenchmarkMicro
import Foundation

do {
    let options = try Options(CommandLine.arguments.dropFirst())
    switch options.command {
    case .run: try MicroRun(options).run()
    case .instructions: try MicroRun(options).readInstructions()
    case .compare: exit(try compare(options) ? 0 : 1)
    case .selfCheck: try print(SelfCheck.report())
    }
} catch {
    try? say("error: \(error)")
    exit(2)
}

/// Compares what was measured with the limits, or replaces these. Returns whether the check has passed.
private func compare(_ options: Options) throws -> Bool {
    var measured: [String: Double] = [:]
    for file in options.measured { try measured.merge(Limits.counts(contentsOf: file)) { $1 } }
    guard !options.isUpdate else {
        let known = try? Limits(contentsOf: options.limits)
        // What could not be measured here keeps its limit.
        let kept = (known?.counts ?? [:]).filter { name, _ in
            options.leftOut.contains { name.hasPrefix($0) || name.hasSuffix($0) }
        }
        try Limits(system: options.system, counts: kept.merging(measured) { $1 }).write(to: options.limits)
        return true
    }
    let limits = try Limits(contentsOf: options.limits)
    let comparison = Comparison(measured, limits: limits.counts, leftOut: options.leftOut)
    print(comparison)
    if comparison.hasImproved {
        print("Some counts are more than a tenth lower than their limits: scripts/bench-check --update lowers these.")
    }
    for line in comparison.lines where line.verdict.fails {
        let counts = "limit \(line.limit.map { "\($0)" } ?? "-"), measured \(line.measured.map { "\($0)" } ?? "-")"
        print("error: \(line.name): \(line.verdict.rawValue) (\(counts))")
    }
    return comparison.isPassed
}

private func say(_ line: String) throws {
    try FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
}
