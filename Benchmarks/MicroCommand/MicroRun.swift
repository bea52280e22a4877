import BenchmarkMicro
import CAllocationCounter
import Foundation

/// Runs the benchmarks in their order.
struct MicroRun {
    let options: Options

    init(_ options: Options) {
        self.options = options
    }

    static var meter: Meter {
        Meter(
            allocations: { allocation_counter_value() },
            section: { body in
                withoutActuallyEscaping(body) { body in
                    let box = Unmanaged.passRetained(Box(body))
                    allocation_counter_section(
                        { context in
                            guard let context else { return }
                            Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().body()
                        }, box.toOpaque())
                    box.release()
                }
            })
    }

    private final class Box {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private func benchmarks(_ credentials: Credentials) -> [Benchmark] {
        (Benchmark.codec + Benchmark.router + Benchmark.session + Benchmark.quic(credentials))
            .filter { $0.name.hasPrefix(options.only) }
    }

    func run() throws {
        let credentials = try options.credentials.map { Credentials(in: $0) } ?? Credentials()
        defer { credentials.remove() }
        var counts: [String: Double] = [:]
        print("per packet or message".padded(to: 28) + "ns".paddedLeft(to: 10) + "  counts")
        for benchmark in benchmarks(credentials) {
            let measurement = try benchmark.measure(with: Self.meter, dividedBy: options.divide)
            let list = measurement.counts.sorted { $0.key < $1.key }
            let text = list.map { "\($0.key) \(Self.text($0.value))" }.joined(separator: ", ")
            print(
                measurement.name.padded(to: 28) + "\(Int(measurement.nanoseconds.rounded()))".paddedLeft(to: 10)
                    + "  " + text)
            for (name, value) in list { counts["\(measurement.name).\(name)"] = value }
        }
        if let output = options.output { try Limits.write(counts: counts, to: output) }
    }

    /// Callgrind writes a file at the end of each measured section. The sections are the benchmarks in their order.
    func readInstructions() throws {
        var counts: [String: Double] = [:]
        for (index, benchmark) in benchmarks(Credentials(in: "")).enumerated() {
            let file = "\(options.dumps).\(index + 1)"
            guard let text = try? String(contentsOfFile: file, encoding: .utf8),
                let total = CallgrindDump.instructions(in: text)
            else { throw BenchmarkError(message: "\(file) has no number of instructions for \(benchmark.name)") }
            let messages = max(benchmark.rounds / options.divide, 1) * benchmark.perRound
            counts["\(benchmark.name).instructions"] = Double(total) / Double(messages)
        }
        guard let output = options.output else { throw BenchmarkError(message: "--output is missing") }
        try Limits.write(counts: counts, to: output)
    }

    private static func text(_ count: Double) -> String {
        String(format: "%.2f", count)
    }
}
