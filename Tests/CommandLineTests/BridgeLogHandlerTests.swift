import BridgeCore
import Logging
import Synchronization
import Testing

@testable import mqtt_quic_bridge

struct BridgeLogHandlerTests {
    @Test func metadataOfLoggerAndEvent() {
        let lines = Lines()
        var logger = Logger(label: "x") { _ in
            BridgeLogHandler(level: .info, format: .text, write: { lines.append($0) })
        }
        logger[metadataKey: "leg"] = "device"
        logger[metadataKey: "id"] = "old"
        logger.debug("hidden")
        logger.info("connected", metadata: ["id": "new"])
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.hasSuffix("Z info connected id=new leg=device\n") == true)
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
