import MQTTQUICClient
import NIOCore
import Synchronization
import Testing

@testable import mqtt_quic_bridge

struct MessagePrinterTests {
    /// What is written, of which the first piece takes its time.
    private final class SlowOutput: Sendable {
        let lines = Mutex<[String]>([])
        let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
        let (opened, opening) = AsyncStream.makeStream(of: Void.self)

        func write(_ bytes: ByteBuffer) async {
            beginning.yield()
            if String(buffer: bytes) == "one\n" { for await _ in opened { break } }
            lines.withLock { $0.append(String(buffer: bytes)) }
        }
    }

    /// With `-c`, messages of the earlier session and of the new subscription come from two tasks. `-C 2` ends the
    /// program after the second one, so the first has to be written by then.
    @Test func messagesOfTwoTasksAreWrittenInTheirOrder() async throws {
        let output = SlowOutput()
        let printer = MessagePrinter(
            SubscriptionRules(maximum: 2), .payload, endsLines: true,
            MQTTClient(MQTTClientConfiguration(host: "localhost")), ToolConsole { _ in },
            write: { await output.write($0) })
        async let first = printer.take(MQTTMessage(topic: "a", text: "one"))
        for await _ in output.begun { break }
        async let second = {
            let isLast = try await printer.take(MQTTMessage(topic: "b", text: "two"))
            return (isLast, output.lines.withLock { $0 })
        }()
        // Long enough for a second message that does not wait.
        for _ in 0..<1_000 { await Task.yield() }
        output.opening.yield()
        let (isLast, lines) = try await second
        #expect(isLast && lines == ["one\n", "two\n"])
        #expect(try await !first)
    }
}
