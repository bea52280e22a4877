/// Durations as an operator writes them: `5s`, `500ms`, `2m`, `1h`, `1.5s`; a bare number counts seconds.
enum DurationValue {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000),
    ]

    /// `nil` if the text is not a duration, is finer than a millisecond, or is longer than a thousand days.
    static func parse(_ text: String) -> Duration? {
        let number = text.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        guard let scale = unit.isEmpty ? 1_000 : units.first(where: { $0.name == unit })?.milliseconds else {
            return nil
        }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int64($0) }), parts.count <= 2, whole <= 86_400_000 else { return nil }
        guard let fraction = parts.count == 2 ? milliseconds(of: parts[1], scale: scale) : 0 else { return nil }
        let (total, overflow) = (whole * scale).addingReportingOverflow(fraction)
        return overflow || total > 86_400_000_000 ? nil : .milliseconds(total)
    }

    /// The value in milliseconds of the digits after the point, for a unit of `scale` ms.
    private static func milliseconds(of digits: Substring, scale: Int64) -> Int64? {
        guard !digits.isEmpty, digits.count <= 6, let value = Int64(digits) else { return nil }
        let divisor = (0..<digits.count).reduce(Int64(1)) { power, _ in power * 10 }
        return value * scale % divisor == 0 ? value * scale / divisor : nil
    }

    /// Writes the duration in the largest unit that gives a whole number.
    static func render(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        if milliseconds == 0 { return "0s" }
        for (name, scale) in [("h", Int64(3_600_000)), ("m", 60_000), ("s", 1_000)] where milliseconds % scale == 0 {
            return "\(milliseconds / scale)\(name)"
        }
        return "\(milliseconds)ms"
    }
}
