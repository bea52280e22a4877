import Foundation
import NIOCore
import Synchronization
import Testing

@testable import mqtt_quic_bridge

/// Streams that another process has told not to block.
struct StandardStreamsTests {
    /// A pipe whose ends do not block.
    private struct OpenPipe {
        let reading: Int32
        let writing: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            for end in ends { try #require(fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) == 0) }
            (reading, writing) = (ends[0], ends[1])
        }

        var isFull: Bool { !Self.isReady(writing, POLLOUT) }
        var isEmpty: Bool { !Self.isReady(reading, POLLIN) }

        private static func isReady(_ end: Int32, _ event: Int32) -> Bool {
            var entry = pollfd(fd: end, events: Int16(event), revents: 0)
            return poll(&entry, 1, 0) > 0
        }
    }

    @Test func aReaderThatIsSlowIsWaitedFor() async throws {
        let pipe = try OpenPipe()
        defer {
            close(pipe.reading)
            close(pipe.writing)
        }
        let isDone = Mutex(false)
        let sent = ByteBuffer(bytes: (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) })
        async let writing: Void = {
            defer { isDone.withLock { $0 = true } }
            try await StandardStreams.write(sent, to: pipe.writing)
        }()
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let isLast = isDone.withLock { $0 }
            // Nothing is read before the pipe is full, so the writer meets a full one again and again.
            guard pipe.isFull || isLast else {
                await Task.yield()
                continue
            }
            let count = read(pipe.reading, &chunk, chunk.count)
            if count > 0 { received += chunk[..<count] } else if isLast { break }
        }
        try await writing
        #expect(received == Array(sent.readableBytesView))
    }

    @Test func aWriterThatIsSlowIsWaitedFor() async throws {
        let pipe = try OpenPipe()
        defer { close(pipe.reading) }
        let isDone = Mutex(false)
        async let reading = {
            defer { isDone.withLock { $0 = true } }
            return try await StandardStreams.readAll(pipe.reading, limit: 100)
        }()
        for byte in "abc".utf8 {
            #expect(write(pipe.writing, [byte], 1) == 1)
            while !pipe.isEmpty, !isDone.withLock({ $0 }) { await Task.yield() }
        }
        close(pipe.writing)
        #expect(try await String(buffer: reading) == "abc")
    }
}
