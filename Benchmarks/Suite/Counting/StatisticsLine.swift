/// The line that the bridge and `serve` write on SIGUSR2, in a log in the text format.
enum StatisticsLine {
    private static let field = " timer_firings="

    /// How many such lines a log has. A line that is not complete yet does not count.
    static func count(in log: String) -> Int {
        lines(of: log).count
    }

    /// The number in the last of them; `nil` without any.
    static func timerFirings(in log: String) -> Int? {
        guard let line = lines(of: log).last, let range = line.firstRange(of: field) else { return nil }
        return Int(line[range.upperBound...].prefix { $0.isNumber })
    }

    private static func lines(of log: String) -> [Substring] {
        let complete = log.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return complete.filter { $0.contains(" statistics ") && $0.contains(field) }
    }
}
