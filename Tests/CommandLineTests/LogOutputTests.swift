import BridgeCore
import Logging
import Synchronization
import Testing

@testable import mqtt_quic_bridge

struct LogOutputTests {
    @Test func theLevelChangesForEveryLoggerThatIsThere() {
        let output = LogOutput(LogConfiguration(level: .warning)) { _ in }
        let logger = Logger(label: "x") { _ in BridgeLogHandler(output) }
        var own = logger
        own.logLevel = .error
        #expect(logger.logLevel == .warning)
        output.level = .debug
        #expect(logger.logLevel == .debug)
        #expect(own.logLevel == .error)
    }

    @Test(arguments: [LogConfiguration.Level.info, .error, .critical])
    func troublesAreKeptThatAreNotShown(_ level: LogConfiguration.Level) {
        let shown = Mutex(0)
        let output = LogOutput(LogConfiguration(level: level)) { _ in shown.withLock { $0 += 1 } }
        let logger = Logger(label: "x") { _ in BridgeLogHandler(output) }
        logger.info("fine")
        logger.warning("a")
        logger.error("b")
        #expect(output.troubles.map(\.message) == ["b", "a"])
        #expect(shown.withLock { $0 } == [.info: 3, .error: 1, .critical: 0][level])
    }

    @Test func troublesAreKeptWithTheirLastDetails() {
        let output = LogOutput(LogConfiguration(level: .critical)) { _ in }
        output.log(.info, "fine", [:])
        output.log(.warning, "a", ["reason": "1"])
        output.log(.error, "b", [:])
        output.log(.warning, "a", ["reason": "2"])
        #expect(output.troubles.map(\.message) == ["a", "b"])
        #expect(output.troubles.first?.count == 2)
        #expect(output.troubles.first?.fields == ["reason": "2"])
    }

    @Test func troublesAreBounded() {
        var troubles = RecentTroubles()
        let long = String(repeating: "é", count: 70_000)
        let many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("field\($0)", Logger.MetadataValue.string(long)) })
        for number in 0..<200 { troubles.note(.warning, "message \(number)", many, at: 0) }
        #expect(troubles.all.count == RecentTroubles.maximumMessages)
        #expect(troubles.all.first?.message == "message 199")
        #expect(troubles.all.allSatisfy { $0.fields.count == RecentTroubles.maximumFields })
        #expect(
            troubles.all.allSatisfy {
                $0.fields.values.allSatisfy { $0.unicodeScalars.count <= RecentTroubles.maximumLength + 3 }
            })
    }
}
