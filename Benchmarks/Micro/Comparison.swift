/// Measured counts beside their limits.
package struct Comparison {
    package enum Verdict: String, Equatable {
        case kept = ""
        /// The count is lower than its limit by more than what chance does.
        case better = "better: the limit can be lowered"
        case exceeded = "EXCEEDED"
        /// There is no limit for the count.
        case unknown = "UNKNOWN: it has no limit"
        /// There is a limit, and nothing was measured.
        case missing = "MISSING: it was not measured"
        /// It could not be measured on this machine, which the caller has said.
        case leftOut = "left out"
    }

    package struct Line: Equatable {
        package let name: String
        package let limit: Double?
        package let measured: Double?
        package let verdict: Verdict
    }

    /// One line for each count that has a limit or was measured, in the order of the names.
    package let lines: [Line]

    /// - Parameter leftOut: The beginnings or ends of names that could not be measured here, such as `program.` or
    ///   `.instructions`.
    package init(_ measured: [String: Double], limits: [String: Double], leftOut: [String] = []) {
        lines = Set(measured.keys).union(limits.keys).sorted().map { name in
            let isLeftOut = leftOut.contains { name.hasPrefix($0) || name.hasSuffix($0) }
            return Line(
                name: name, limit: limits[name], measured: measured[name],
                verdict: Self.verdict(measured[name], limits[name], isLeftOut: isLeftOut))
        }
    }

    /// Whether nothing is exceeded, unknown or missing.
    package var isPassed: Bool { lines.allSatisfy { !$0.verdict.fails } }

    /// Whether a limit can be lowered.
    package var hasImproved: Bool { lines.contains { $0.verdict == .better } }

    private static func verdict(_ measured: Double?, _ limit: Double?, isLeftOut: Bool) -> Verdict {
        guard let limit else { return .unknown }
        guard let measured else { return isLeftOut ? .leftOut : .missing }
        // A count that is no number must not pass because it is not greater than anything.
        guard measured <= Limits.highest(for: limit) else { return .exceeded }
        return measured < Limits.lowest(for: limit) ? .better : .kept
    }
}

extension Comparison.Verdict {
    /// Whether the check fails.
    package var fails: Bool {
        switch self {
        case .exceeded, .unknown, .missing: true
        case .kept, .better, .leftOut: false
        }
    }
}

extension Comparison: CustomStringConvertible {
    /// A table: what was counted, its limit, what was measured, and what that means.
    package var description: String {
        let width = max(lines.map(\.name.count).max() ?? 0, 8)
        let head = Self.row("per message", "limit", "measured", "", width)
        let rows = lines.map { line in
            Self.row(line.name, Self.text(line.limit), Self.text(line.measured), line.verdict.rawValue, width)
        }
        return ([head] + rows).joined(separator: "\n")
    }

    private static func row(_ name: String, _ limit: String, _ measured: String, _ verdict: String, _ width: Int)
        -> String
    {
        let row =
            name.padded(to: width) + limit.paddedLeft(to: 12) + measured.paddedLeft(to: 12)
            + (verdict.isEmpty ? "" : "  " + verdict)
        return row
    }

    static func text(_ count: Double?) -> String {
        guard let count else { return "-" }
        guard count < 100 else { return "\(Int(count.rounded()))" }
        let hundredths = Int((count * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}

extension String {
    package func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - count, 0))
    }

    package func paddedLeft(to width: Int) -> String {
        String(repeating: " ", count: max(width - count, 0)) + self
    }
}
