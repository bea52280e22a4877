import Foundation
import Testing

@testable import BenchmarkSuite

/// Programs that the suite starts, played by shells.
struct ProgramTests {
    private let log = FileManager.default.temporaryDirectory.appending(path: "bench-test-\(UUID().uuidString)").path

    private func program(_ script: String, isReady: @escaping (Int32) -> Bool) -> Program {
        Program("the shell", ["sh", "-c", script], log: log, isReady: isReady)
    }

    private var text: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    @Test func aProgramThatFailsToStartIsReportedWithItsLog() {
        defer { try? FileManager.default.removeItem(atPath: log) }
        let program = program("echo no port >&2; exit 3") { _ in false }
        #expect {
            try program.start()
        } throws: {
            "\($0)" == "the shell has ended with exit code 3; the end of its log:\n    no port"
        }
    }

    @Test func aProgramThatEndsByItselfIsNoticed() throws {
        defer { try? FileManager.default.removeItem(atPath: log) }
        let program = program("echo going; kill -SEGV $$") { _ in text.contains("going") }
        // It may end while it is waited for, or after that.
        #expect {
            try program.start()
            while true { try program.check() }
        } throws: {
            "\($0)".hasPrefix("the shell has ended with signal 11") && "\($0)".hasSuffix("\n    going")
        }
    }

    @Test func aProgramThatDoesNotExistIsNamed() {
        defer { try? FileManager.default.removeItem(atPath: log) }
        let program = Program("the broker", ["no-such-program"], log: log) { _ in false }
        #expect {
            try program.start()
        } throws: {
            "\($0)".contains("the broker has ended with exit code") && "\($0)".contains("no-such-program")
        }
    }

    @Test func aProgramInheritsNoDescriptor() throws {
        defer { try? FileManager.default.removeItem(atPath: log) }
        // Such a socket has no close-on-exec flag.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let process = try ChildProcess("ls", ["ls", "-l", "/proc/self/fd"], log: log)
        process.wait()
        #expect(text.contains("/dev/null"))
        #expect(!text.contains("socket:"))
    }

    @Test func aProgramThatIsAskedToEndDoesSoInItsOwnWay() throws {
        defer { try? FileManager.default.removeItem(atPath: log) }
        let program = program("trap 'echo goodbye; exit 0' TERM; echo going; while true; do sleep 0.05; done") { _ in
            text.contains("going")
        }
        try program.start()
        try program.terminate()
        #expect(text.contains("goodbye"))
        #expect(program.pid == nil)
    }

    @Test func aProgramThatEndsBadlyWhenAskedIsReported() throws {
        defer { try? FileManager.default.removeItem(atPath: log) }
        let program = program("trap 'exit 3' TERM; echo going; while true; do sleep 0.05; done") { _ in
            text.contains("going")
        }
        try program.start()
        #expect {
            try program.terminate()
        } throws: {
            "\($0)".hasPrefix("the shell has ended with exit code 3")
        }
    }

    @Test func aProgramCanBeStoppedAndStartedAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: log) }
        let program = program("echo going; exec sleep 60") { _ in text.contains("going") }
        try program.start()
        let first = try #require(program.pid)
        program.stop()
        #expect(program.pid == nil)
        #expect(kill(first, 0) != 0)
        // It was stopped, so it has not ended by itself.
        try program.check()
        try program.start()
        #expect(program.pid != nil && program.pid != first)
        program.stop()
    }

    @Test(arguments: [
        ("mqtt-quic-bridge-bench-2147483647", true), ("mqtt-quic-bridge-bench-\(getpid())", false),
        ("mqtt-quic-bridge-bench-0", false), ("mqtt-quic-bridge-bench-x", false),
        ("mqtt-quic-bridge-2147483647", false),
    ])
    func onlyFoldersOfDeadSuitesAreAbandoned(_ name: String, _ expected: Bool) {
        #expect(TemporaryFolder.isAbandoned(name) == expected)
    }

    @Test func statisticsAreAskedForBySignal() throws {
        defer { try? FileManager.default.removeItem(atPath: log) }
        let answer = "trap 'echo now info statistics devices=1 timer_firings=7' USR2"
        let program = program("\(answer); echo going; while :; do sleep 0.02; done") { _ in text.contains("going") }
        try program.start()
        // Each attempt waits for a second at most, in which the shell may not run.
        var firings: Int?
        for _ in 0..<60 where firings == nil { firings = program.timerFirings() }
        #expect(firings == 7)
        program.stop()
        #expect(program.timerFirings() == nil)
    }
}
