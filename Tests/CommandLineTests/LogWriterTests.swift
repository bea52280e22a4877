import Foundation
import Testing

@testable import mqtt_quic_bridge

/// The log of a program whose reader is slow, or has gone.
struct LogWriterTests {
    /// Everything that comes through a pipe until nothing waits any more.
    private static func drain(_ end: CInt, _ writer: LogWriter) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var request = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        writer.finish()
        while poll(&request, 1, 0) > 0 {
            let count = read(end, &chunk, chunk.count)
            bytes += chunk.prefix(max(0, count))
            writer.finish()
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aReaderThatStopsStopsNobodyElse() throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let writer = LogWriter(ends[1], limit: 100_000)
        let lines = (0..<500).map { "\($0) " + String(repeating: "x", count: 1_000) + "\n" }
        // This returns, although nobody reads.
        for line in lines { writer.write(line) }
        #expect(writer.takeLost() == 0, "there is no room to say so yet")
        // What waits comes in order and whole. When the pipe still took a line, others found room behind a lost one.
        let text = Self.drain(ends[0], writer)
        let numbers = text.split(separator: "\n").compactMap { Int($0.prefix { $0 != " " }) }
        #expect(numbers == numbers.sorted() && text == numbers.map { lines[$0] }.joined())
        #expect(text.utf8.count > 100_000)
        // Then it is known what is missing, and the log goes on.
        #expect(writer.takeLost() == lines.count - text.count { $0 == "\n" })
        #expect(writer.takeLost() == 0)
        writer.write("later\n")
        #expect(Self.drain(ends[0], writer) == "later\n")
    }

    @Test func aReaderThatHasGoneIsNotWaitedFor() throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        signal(SIGPIPE, SIG_IGN)
        let writer = LogWriter(ends[1], limit: 10_000)
        for _ in 0..<100 {
            writer.write(String(repeating: "x", count: 5_000))
            writer.finish()
        }
        #expect(writer.takeLost() == 0)
    }
}
