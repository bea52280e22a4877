import BridgeCore
import Foundation
import NIOPosix
import Synchronization
import Testing

@testable import Bridge

/// The parts of the monitors that need no bridge.
@Suite(.timeLimit(.minutes(5)))
struct MonitorPartsTests {
    /// Holds an attempt up until the test lets it go, and counts attempts.
    private final class Attempts: Sendable {
        let begun = EventLog<Int>()
        private let count = Atomic<Int>(0)
        private let (gate, opener) = AsyncStream.makeStream(of: Void.self)

        func attempt() async -> String? {
            let number = count.add(1, ordering: .relaxed).newValue
            await begun.append(number)
            for await _ in gate { break }
            return "attempt \(number)"
        }

        func end() { opener.yield() }
    }

    /// An attempt that takes longer than the interval is not joined by a second one.
    @Test func aProbeNeverRunsTwiceAtOnce() async throws {
        let (attempts, probe) = (Attempts(), PacedProbe<String?>(every: .zero))
        async let first = probe.outcome { await attempts.attempt() }
        _ = try await attempts.begun.first("an attempt") { _ in true }
        async let second = probe.outcome { await attempts.attempt() }
        async let third = probe.outcome { await attempts.attempt() }
        // The interval is over at once, but the attempt is not.
        for _ in 0..<100 { await Task.yield() }
        attempts.end()
        #expect(await [first, second, third] == ["attempt 1", "attempt 1", "attempt 1"])
        attempts.end()
        #expect(await probe.outcome { await attempts.attempt() } == "attempt 2")
    }

    @Test func anOutcomeIsKeptForAWhile() async {
        let (attempts, probe) = (Attempts(), PacedProbe<String?>(every: .seconds(3_600)))
        attempts.end()
        #expect(await probe.outcome { await attempts.attempt() } == "attempt 1")
        #expect(await probe.outcome { await attempts.attempt() } == "attempt 1")
    }

    /// A loop that was shut down drops tasks: whoever waits for one must not hang.
    @Test func nobodyWaitsForALoopThatHasEnded() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let (gate, loop) = (LoopGate(), group.next())
        #expect(await gate.run(on: loop) { 7 } == 7)
        #expect(gate.send(to: loop) {})
        gate.close()
        try await group.shutdownGracefully()
        #expect(await gate.run(on: loop) { 7 } == nil)
        #expect(!gate.send(to: loop) { Issue.record("ran on a loop that has ended") })
    }

    @Test func certificatesAreReadAgainOnlyWhenTheirFileHasChanged() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let path = folder.path + "/ca.pem"
        try Data("one".utf8).write(to: URL(filePath: path))
        let readings = Atomic<Int>(0)
        let read: @Sendable () -> [StatusReport.Certificate] = {
            let count = readings.add(1, ordering: .relaxed).newValue
            return [StatusReport.Certificate(role: "CA", subject: "\(count)", expiresAt: 0)]
        }
        let paths = Mutex([path, folder.path + "/missing.pem"])
        let dates = CertificateDates { (paths.withLock { $0 }, read) }
        for _ in 0..<3 { #expect(await dates.current.map(\.subject) == ["1"]) }
        try Data("another".utf8).write(to: URL(filePath: path))
        for _ in 0..<3 { #expect(await dates.current.map(\.subject) == ["2"]) }
        try Data("now".utf8).write(to: URL(filePath: folder.path + "/missing.pem"))
        #expect(await dates.current.map(\.subject) == ["3"])
        paths.withLock { $0 = [path, path] }
        for _ in 0..<3 { #expect(await dates.current.map(\.subject) == ["4"], "other files") }
    }
}
