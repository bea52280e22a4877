extension Duration {
    /// Rounded for people: `250 ms`, `4.5 s`, `5 s`.
    var inWords: String {
        let (seconds, attoseconds) = components
        let milliseconds = (attoseconds + 500_000_000_000_000) / 1_000_000_000_000_000
        guard seconds != 0 || milliseconds >= 1_000 else { return "\(milliseconds) ms" }
        let tenths = (attoseconds + 50_000_000_000_000_000) / 100_000_000_000_000_000
        let (whole, overflow) = seconds.addingReportingOverflow(tenths / 10)
        guard !overflow, tenths % 10 != 0 else { return "\(overflow ? seconds : whole) s" }
        return "\(whole).\(abs(tenths % 10)) s"
    }
}
