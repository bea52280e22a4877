import MQTTQUICClient
import Synchronization
import Testing

@testable import mqtt_quic_bridge

struct ToolConsoleTests {
    private final class Lines: Sendable {
        private let text = Mutex("")

        var all: String { text.withLock { $0 } }

        func console(isQuiet: Bool = false) -> ToolConsole {
            ToolConsole(isQuiet: isQuiet) { text in self.text.withLock { $0 += text } }
        }
    }

    /// The broker's words must not move the cursor, set the title of the window or look like lines of the tool.
    @Test func whatTheBrokerSaysCannotControlATerminal() {
        let lines = Lines()
        let reason = "\u{1B}]0;x\u{7}a\r\nError: \u{85}\u{2028}\u{202E}b é😀"
        lines.console().report(.refused(.notAuthorized, reason: reason, serverReference: nil))
        #expect(lines.all.contains(#""\u{1B}]0;x\u{7}a\u{D}\u{A}Error: \u{85}\u{2028}\u{202E}b é😀""#), "\(lines.all)")
        #expect(lines.all.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
    }

    @Test func quietMeansNothing() {
        let lines = Lines()
        lines.console(isQuiet: true).error("x")
        #expect(lines.all.isEmpty)
    }
}
