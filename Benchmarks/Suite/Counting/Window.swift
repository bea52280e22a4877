import BenchmarkLoad

/// A part of a run for which figures are shown by themselves, in seconds from the first publish.
struct Window: Equatable {
    /// What the title of its table adds; empty if the run has only one.
    let name: String
    let from: Double
    let to: Double

    /// What is left out at the beginning, until the flow is steady, in seconds.
    static func warmUp(_ seconds: Double) -> Double {
        min(2, seconds / 4)
    }

    /// The windows of a run of this length: the whole of it, or the first and the last minute of at least two. The warm-up
    /// is no part of them, for the load's report has minutes only then.
    static func all(of seconds: Double) -> [Window] {
        let start = warmUp(seconds)
        // The last sample must be taken before the load ends.
        let end = seconds - 0.1
        guard seconds - start >= 120 else { return [Window(name: "", from: start, to: end)] }
        return [
            Window(name: "first minute", from: start, to: 60), Window(name: "last minute", from: seconds - 60, to: end),
        ]
    }

    /// The minute of the load's report that this window is.
    func minute(of report: LoadReport) -> LoadReport.Minute? {
        to <= 60 ? report.minutes.first : report.minutes.last
    }
}
