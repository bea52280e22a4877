import Foundation
import Testing

/// What the program logs when many devices have the same to say.
@Suite(.timeLimit(.minutes(20)))
struct LogRepeatsTests {
    /// Nothing of what was held back is lost at the end, whether sessions had their time or not.
    @Test(arguments: [1, 2])
    func repeatsAreSummedUp(signals: Int) async throws {
        let number = 40
        try await Scenario.run { scenario in
            let text = try await Scenario.configuration(
                scenario.options, in: scenario.folder, port: scenario.farEnd.port)
            let bridge = try await Bridge.start(
                in: scenario.folder,
                configuration: text.replacing("level: debug", with: "level: info").replacing(
                    "repeats: all", with: "repeats: sum"))
            await scenario.own(bridge.process)
            for _ in 0..<number {
                let device = try await RawDevice.connect(port: bridge.port)
                try? await device.send([UInt8](repeating: 0, count: 100))
                _ = try await device.closed()
            }
            for _ in 0..<signals { bridge.process.signal(SIGTERM) }
            _ = try await bridge.process.end()
            _ = try await bridge.process.errors.first("the summary") { $0.contains("session ended, and ") }
            let lines = await bridge.process.errors.all.filter { $0.contains(" session ended") }
            let shown = lines.filter { $0.contains(" session ended ") }.count
            let summed = lines.compactMap { $0.firstMatch(of: /session ended, and (\d+) more .*reason=/) }
            #expect(shown >= 10)
            #expect(shown + summed.reduce(0) { $0 + (Int($1.output.1) ?? 0) } == number)
        }
    }
}
