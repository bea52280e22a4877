import Foundation
import Testing

@testable import BenchmarkMicro

struct LimitsTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func withFile(_ body: (String) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try body(file)
    }

    @Test func aFileIsReadAsItWasWritten() throws {
        try withFile { file in
            let limits = Limits(system: "here", counts: ["a": 1.234, "b": 0, "c": 12_345.6])
            try limits.write(to: file)
            let rounded = Limits(system: "here", counts: ["a": 1.23, "b": 0, "c": 12_346])
            #expect(try Limits(contentsOf: file) == rounded)
        }
    }

    @Test func countsAreReadAsTheyWereWritten() throws {
        try withFile { file in
            try Limits.write(counts: ["a": 1.25], to: file)
            #expect(try Limits.counts(contentsOf: file) == ["a": 1.25])
        }
    }

    @Test func aFileThatIsNoneIsNamed() throws {
        try withFile { file in
            #expect(throws: BenchmarkError.self) { try Limits(contentsOf: file) }
            try "{".write(toFile: file, atomically: true, encoding: .utf8)
            let error = #expect(throws: BenchmarkError.self) { try Limits.counts(contentsOf: file) }
            #expect(error?.message.contains(file) == true)
        }
    }

    @Test func theLimitsOfTheProjectCanBeRead() throws {
        let limits = try Limits(contentsOf: Self.root.appending(path: "Benchmarks/thresholds.json").path)
        #expect(limits.counts.count > 50)
        #expect(limits.counts.values.allSatisfy { $0 >= 0 })
        #expect(!limits.system.isEmpty)
    }

    @Test(arguments: [
        ("version: 1\nevents: Ir\nsummary: 4711\n\nfn=(1) x\n1 4711\n\ntotals: 4711\n", 4_711 as Int?),
        ("events: Ir Dr\nsummary: 10 5\n", 10), ("events: Ir\n", nil), ("totals: many\n", nil), ("", nil),
    ])
    func instructionsAreReadFromADump(text: String, count: Int?) {
        #expect(CallgrindDump.instructions(in: text) == count)
    }
}
