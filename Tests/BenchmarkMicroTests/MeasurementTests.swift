import Foundation
import Testing

@testable import BenchmarkMicro

struct MeasurementTests {
    private struct Stop: Error {}

    @Test func figuresArePerMessageAndWithoutTheWarmUp() throws {
        nonisolated(unsafe) var allocations: UInt64 = 100
        nonisolated(unsafe) var sections = 0
        let benchmark = Benchmark("a", perRound: 4, rounds: 10) {
            var rounds = 0
            return Work(
                figures: { ["datagrams": rounds * 2] },
                round: {
                    rounds += 1
                    // The warm-up allocates more.
                    allocations += rounds <= 10 ? 1_000 : 12
                })
        }
        let meter = Meter(
            allocations: { allocations },
            section: { body in
                sections += 1
                body()
            })
        let measurement = try benchmark.measure(with: meter)
        #expect(measurement.counts == ["allocations": 3, "datagrams": 0.5])
        #expect(sections == 1)
        let divided = try benchmark.measure(with: meter, dividedBy: 100)
        #expect(divided.counts["datagrams"] == 0.5)
    }

    @Test func aFailureInTheMeasuredPartIsThrown() throws {
        let benchmark = Benchmark("a", rounds: 2) {
            var rounds = 0
            return Work {
                rounds += 1
                if rounds == 3 { throw Stop() }
            }
        }
        #expect(throws: Stop.self) { try benchmark.measure(with: Meter(allocations: { 0 }, section: { $0() })) }
    }

    /// Each benchmark checks by itself that its packets arrive.
    @Test func everyBenchmarkRuns() throws {
        let credentials = try Credentials()
        defer { credentials.remove() }
        let all = Benchmark.codec + Benchmark.router + Benchmark.session + Benchmark.quic(credentials)
        #expect(Set(all.map(\.name)).count == all.count)
        for benchmark in all {
            let measurement = try benchmark.measure(with: Meter(allocations: { 0 }, section: { $0() }), dividedBy: 200)
            #expect(measurement.nanoseconds > 0)
        }
    }

    /// The counter replaces the allocator of a whole program, so it is tested in the program that has it.
    @Test func theCounterCountsEachAllocation() throws {
        let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let process = Process()
        let output = Pipe()
        process.executableURL = folder.appending(path: "bench-micro")
        process.arguments = ["self-check"]
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let counts = try JSONDecoder().decode([String: Int].self, from: text)
        #expect(counts == ["nothing": 0, "instance": 1, "array": 1, "arrays": 100, "aligned": 1, "c": 2])
    }
}
