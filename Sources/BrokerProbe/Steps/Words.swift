/// Numbers for a person.
package enum Words {
    /// `14.2 ms` or `1.5 s`.
    package static func milliseconds(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "?" }
        return value < 1_000 ? "\(tenths(value)) ms" : "\(tenths(value / 1_000)) s"
    }

    /// Whole seconds in the largest unit that needs no fraction: `2 h`, `90 s`.
    static func span(_ seconds: Int64) -> String {
        let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "min")]
        guard let (size, name) = units.first(where: { seconds >= $0.0 && seconds % $0.0 == 0 }) else {
            return "\(seconds) s"
        }
        return "\(seconds / size) \(name)"
    }

    /// `1 day`, `2 days`.
    static func count(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
