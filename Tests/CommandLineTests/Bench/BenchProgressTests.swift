import Testing

@testable import mqtt_quic_bridge

@Suite struct BenchProgressTests {
    private var counts: BenchTally.Counts {
        var counts = BenchTally.Counts()
        (counts.connected, counts.published) = (5, 100)
        return counts
    }

    @Test func linesForALog() {
        let progress = BenchProgress(plan: BenchPlan(), isTerminal: false)
        #expect(progress.line(counts, elapsed: nil, previous: nil, interval: 5) == "connecting, 5/10 connected\n")
        var previous = BenchTally.Counts()
        previous.published = 50
        #expect(
            progress.line(counts, elapsed: 15.2, previous: previous, interval: 5)
                == "15 s of 30 s, 5/10 connected, 10.0 msg/s\n")
        #expect(progress.end.isEmpty)
    }

    @Test func failuresAreInTheLine() {
        var counts = counts
        (counts.connectFailures, counts.lost, counts.publishFailures) = (1, 2, 4)
        let line = BenchProgress(plan: BenchPlan(), isTerminal: false)
            .line(counts, elapsed: nil, previous: nil, interval: 5)
        #expect(line == "connecting, 5/10 connected, 7 failed\n")
    }

    @Test(arguments: [(0.0, 0), (15.0, 12), (30.0, 24), (99.0, 24)])
    func theBarOfATerminal(_ elapsed: Double, _ full: Int) {
        let line = BenchProgress(plan: BenchPlan(), isTerminal: true)
            .line(counts, elapsed: elapsed, previous: nil, interval: 1)
        #expect(line.hasPrefix("\r[") && !line.contains("\n"))
        #expect(line.count { $0 == "#" } == full)
    }
}
