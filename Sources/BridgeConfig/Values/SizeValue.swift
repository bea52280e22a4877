/// Sizes as an operator writes them: `10MB` (millions), `256KiB` (powers of 1024), or a bare number of bytes.
enum SizeValue {
    private static let units: [(name: String, bytes: Int)] = [
        ("B", 1), ("KB", 1_000), ("KIB", 1_024), ("MB", 1_000_000), ("MIB", 1_048_576),
        ("GB", 1_000_000_000), ("GIB", 1_073_741_824),
    ]

    /// The size in bytes; `nil` if the text is not a size.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.uppercased()
        guard let bytes = unit.isEmpty ? 1 : units.first(where: { $0.name == unit })?.bytes else { return nil }
        let (result, overflow) = number.multipliedReportingOverflow(by: bytes)
        return overflow ? nil : result
    }

    /// Writes the size in the largest unit that gives a whole number.
    static func render(_ bytes: Int) -> String {
        let units = [
            (1_073_741_824, "GiB"), (1_000_000_000, "GB"), (1_048_576, "MiB"), (1_000_000, "MB"), (1_024, "KiB"),
            (1_000, "KB"),
        ]
        for (unit, name) in units
        where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return "\(bytes)"
    }
}
