import BenchmarkLoad
import Foundation

/// Makes measurements on a stage: runs the load, makes happen what the condition contains, and collects all figures.
struct Measurer {
    let stage: Stage
    let condition: Condition
    /// Counts system calls during the run; `nil` for no count.
    var counter: SystemCallCounter?

    /// The samples at both ends of a window.
    private struct Ends {
        var start: Sample?
        var end: Sample?
    }

    /// Measures several paths at the same time; usually it is only one.
    ///
    /// - Returns: for each of them the figures of each window.
    /// - Throws: `SuiteError` if a program or the load has failed.
    func measure(_ lanes: [Stage.Lane]) throws -> [[Figures]] {
        try stage.network.set(condition.link)
        let start = lanes.count > 1 ? Self.monotonicSeconds + Self.commonStart : nil
        let runs = try lanes.map { try LoadRun($0, condition, on: stage, notBefore: start) }
        let begin = try waitForFirstMessage(of: runs)
        let windows = Window.all(of: condition.load.seconds)
        var ends = lanes.map { _ in windows.map { _ in Ends() } }
        var counts: [CallCount] = []
        let isAlone = lanes.count == 1
        for (at, moment) in Timeline(windows, condition.events).entries {
            try wait(until: begin + .seconds(at), runs)
            switch moment {
            case .windowBegins(let index):
                if index == 0, isAlone { counts = try count(lanes[0], windows[0]) }
                for (number, lane) in lanes.enumerated() { ends[number][index].start = sample(lane, isAlone) }
            case .windowEnds(let index):
                for (number, lane) in lanes.enumerated() { ends[number][index].end = sample(lane, isAlone) }
            case .event(let action): try perform(action)
            case .brokerReturns: try stage.startBroker()
            }
        }
        let reports = try runs.map { run in
            while !run.hasEnded { try wait(until: .now + .milliseconds(20), []) }
            return try run.report()
        }
        return zip(reports, ends).map { report, ends in
            windows.indices.map { index in
                let shared = isAlone ? [] : Self.meaninglessTogether
                var figures = Figures(
                    report, minute: windows.count > 1 ? windows[index].minute(of: report) : nil)
                let rate = figures[.messageRate] ?? 0
                if let start = ends[index].start, let end = ends[index].end {
                    figures.add(end.figures(since: start, messagesPerSecond: rate))
                }
                if index == 0 { for count in counts { figures.add(count.result(messagesPerSecond: rate)) } }
                for figure in shared { figures[figure] = nil }
                return figures
            }
        }
    }

    /// How long the devices of several paths have to connect before all begin to publish, in seconds.
    private static let commonStart = 4.0

    private static var monotonicSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Figures of the broker, which serves all paths, if they are measured at the same time.
    private static let meaninglessTogether: [Figure] = [.brokerCPU, .brokerIdleCPU, .brokerMemory]

    private func sample(_ lane: Stage.Lane, _ isAlone: Bool) -> Sample? {
        guard condition.load.pattern != .idle else { return nil }
        return Sample(lane, countsWire: isAlone && stage.network.isIsolated)
    }

    private func count(_ lane: Stage.Lane, _ window: Window) throws -> [CallCount] {
        guard let counter, condition.load.pattern != .idle, condition.events.isEmpty else { return [] }
        // The counter itself needs a moment to begin.
        let seconds = max(0.3, window.to - window.from - 0.3)
        return try CallCount.start(lane, with: counter, seconds: seconds, in: stage.folder)
    }

    private func waitForFirstMessage(of runs: [LoadRun]) throws -> ContinuousClock.Instant {
        for run in runs {
            while try !run.hasBegun { try wait(until: .now + .milliseconds(5), []) }
        }
        return .now
    }

    /// Sleeps, and watches meanwhile that all programs go on.
    private func wait(until time: ContinuousClock.Instant, _ runs: [LoadRun]) throws {
        repeat {
            try stage.check()
            for run in runs { try run.check() }
            let left = ContinuousClock.now.duration(to: time).inSeconds
            if left > 0 { Thread.sleep(forTimeInterval: min(left, 0.25)) }
        } while ContinuousClock.now < time
    }

    private func perform(_ action: Condition.Event.Action) throws {
        switch action {
        case .outage(let seconds): try stage.network.interrupt(seconds: seconds)
        case .rebind: try stage.network.rebind()
        case .brokerDeath: stage.killBroker()
        }
    }
}
