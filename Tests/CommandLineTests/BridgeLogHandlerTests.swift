import BridgeCore
import Logging
import Synchronization
import Testing

@testable import mqtt_quic_bridge

struct BridgeLogHandlerTests {
    @Test func metadataOfLoggerAndEvent() {
        let lines = Lines()
        var logger = Logger(label: "x") { _ in
            BridgeLogHandler(LogOutput(LogConfiguration(level: .info, format: .text)) { lines.append($0) })
        }
        logger[metadataKey: "leg"] = "device"
        logger[metadataKey: "id"] = "old"
        logger.debug("hidden")
        logger.info("connected", metadata: ["id": "new"])
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.hasSuffix("Z info connected id=new leg=device\n") == true)
    }

    @Test(arguments: LogConfiguration.Format.allCases)
    func repeatsAreSummedUp(_ format: LogConfiguration.Format) {
        let lines = Lines()
        let output = LogOutput(LogConfiguration(level: .debug, format: format)) { lines.append($0) }
        let logger = Logger(label: "x") { _ in BridgeLogHandler(output) }
        for number in 1...142 { logger.info("held", metadata: ["device": "\(number)", "reason": "away"]) }
        logger.info("other")
        for _ in 1...20 { logger.debug("detail") }
        output.flush()
        #expect(lines.all.count == 10 + 1 + 20 + 1)
        let summary =
            format == .json
            ? #""message":"held","more":132,"reason":"away"}"# : "held, and 132 more reason=away"
        #expect(lines.all.last?.hasSuffix(summary + "\n") == true)
        output.flush()
        #expect(lines.all.count == 32)
    }

    @Test func allShowsEveryLine() {
        let lines = Lines()
        let output = LogOutput(LogConfiguration(repeats: .all)) { lines.append($0) }
        let logger = Logger(label: "x") { _ in BridgeLogHandler(output) }
        for _ in 1...142 { logger.info("held") }
        output.flush()
        #expect(lines.all.count == 142)
    }

    @Test func aWindowEnds() {
        var repeats = LogRepeats()
        var shown: [Bool] = []
        for _ in 1...10 { shown.append(repeats.shows(.info, "a", [:], at: 0)) }
        #expect(repeats.nextEnd == nil)
        shown.append(!repeats.shows(.info, "a", ["id": "1", "why": "x"], at: 9_000))
        shown.append(!repeats.shows(.info, "a", ["id": "2", "why": "x", "new": "y"], at: 9_500))
        shown.append(repeats.shows(.warning, "a", [:], at: 9_500))
        #expect(repeats.nextEnd == 10_000)
        let early = repeats.takeSummaries(at: 9_999)
        #expect(early.isEmpty)
        let summary = LogRepeats.Summary(level: .info, message: "a", count: 2, metadata: ["why": "x"])
        let due = repeats.takeSummaries(at: 10_000)
        #expect(due == [summary])
        shown.append(repeats.shows(.info, "a", [:], at: 10_001))
        #expect(shown.allSatisfy { $0 })
    }

    @Test func aWindowWithNothingToSumUpEndsByItself() {
        var repeats = LogRepeats()
        var shown: [Bool] = []
        for _ in 1...10 { shown.append(repeats.shows(.info, "a", [:], at: 0)) }
        for _ in 1...10 { shown.append(repeats.shows(.info, "a", [:], at: 10_000)) }
        shown.append(!repeats.shows(.info, "a", [:], at: 10_000))
        #expect(shown.allSatisfy { $0 })
        let due = repeats.takeSummaries(at: 5_000)
        #expect(due.count == 1, "the clock was set back")
    }

    /// A line with another reason is news, however often its message has come.
    @Test(arguments: ["reason", "error", "detail"])
    func reasonsAreToldApart(_ field: String) {
        var repeats = LogRepeats()
        var shown: [Bool] = []
        for _ in 1...10 { shown.append(repeats.shows(.info, "a", [field: "x"], at: 0)) }
        shown.append(!repeats.shows(.info, "a", [field: "x"], at: 0))
        shown.append(repeats.shows(.info, "a", [field: "y"], at: 0))
        #expect(shown.allSatisfy { $0 })
    }

    /// A device may send any number of different reasons.
    @Test func reasonsAreBounded() {
        var repeats = LogRepeats()
        var shown = 0
        for number in 1...10_000 where repeats.shows(.info, "a", ["reason": "\(number)"], at: 0) { shown += 1 }
        #expect(shown == LogRepeats.maximumWindows + LogRepeats.shown)
        let summaries = repeats.takeSummaries(at: nil)
        #expect(summaries.map(\.count) == [10_000 - shown])
        #expect(summaries.first?.metadata.isEmpty == true)
    }

    @Test func reasonsOfThePastLeaveRoom() {
        var repeats = LogRepeats()
        var shown = 0
        for number in 1...300 where repeats.shows(.info, "a", ["reason": "\(number)"], at: 0) { shown += 1 }
        for number in 1...100 where repeats.shows(.info, "b", ["reason": "\(number)"], at: 10_000) { shown += 1 }
        #expect(shown == LogRepeats.maximumWindows + LogRepeats.shown + 100)
    }

    @Test(arguments: LogConfiguration.Level.allCases)
    func levelsHaveTheirNames(_ level: LogConfiguration.Level) {
        #expect(Logger.Level(level).rawValue == level.rawValue)
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
