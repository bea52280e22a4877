import Foundation
import Testing

@testable import BenchmarkLoad

struct ProcessSampleTests {
    @Test func timeIsReadBehindAnyCommandName() {
        let rest = " S 1 2 3 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 3 0 100 1000 200"
        let tick = 1e6 / Double(sysconf(Int32(_SC_CLK_TCK)))
        for name in ["bridge", "a b", "we) ird", ") S 1 2"] {
            #expect(ProcessSample.cpu(stat: "77 (\(name))" + rest) == 300 * tick)
        }
        #expect(ProcessSample.cpu(stat: "77 (cut) S 1 2") == nil)
        #expect(ProcessSample.cpu(stat: "") == nil)
    }

    @Test func fieldsAreFoundByTheirNames() {
        let status = "Name:\tx\nVmRSS:\t   1234 kB\nvoluntary_ctxt_switches:\t56\nnonvoluntary_ctxt_switches:\t7\n"
        #expect(ProcessSample.field("VmRSS:", in: status) == 1234)
        #expect(ProcessSample.field("voluntary_ctxt_switches:", in: status) == 56)
        #expect(ProcessSample.field("nonvoluntary_ctxt_switches:", in: status) == 7)
        #expect(ProcessSample.field("VmSwap:", in: status) == nil)
    }

    /// The process is busy for a while and then waits for its standard input to end, so it is there when the test looks,
    /// however late that is, and it ends with the test.
    @Test(.timeLimit(.minutes(1))) func aBusyProcessUsesTimeAndMemory() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done; read line"]
        let input = Pipe()
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Not SIGTERM, which children of a test may have blocked.
        defer { kill(process.processIdentifier, SIGKILL) }
        var sample = ProcessSample(pid: process.processIdentifier)
        let start = sample.cpuMicroseconds ?? 0
        while process.isRunning, (sample.cpuMicroseconds ?? 0) < start + 30_000 {
            try await Task.sleep(for: .milliseconds(10))
            sample = ProcessSample(pid: process.processIdentifier)
        }
        #expect(try #require(sample.cpuMicroseconds) >= start + 30_000)
        let resident = try #require(sample.residentKiB)
        #expect(resident > 100)
        #expect((1..<resident).contains(try #require(sample.allocatedKiB)))
        #expect(sample.contextSwitches != nil)
        try input.fileHandleForWriting.close()
    }

    @Test func aProcessThatDoesNotExistHasNoFigures() {
        let sample = ProcessSample(pid: Int32.max)
        #expect(sample.cpuMicroseconds == nil && sample.residentKiB == nil && sample.contextSwitches == nil)
    }
}
