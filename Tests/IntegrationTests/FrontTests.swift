import Foundation
import Testing

/// Checks the stand-in for EMQX that the tests of shared gateway sessions rely on.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct FrontTests {
    /// Tests/Support/front_check.py has the list of checks, and runs them with another QUIC stack than the bridge's.
    @Test func theFrontDoesWithDataStreamsWhatEMQXDoes() async throws {
        try await TestPrograms.run { folder, processes in
            let broker = try await Broker.start(in: folder)
            await processes.append(broker.process)
            try await check(broker)
        }
    }

    private func check(_ broker: Broker) async throws {
        let certificates = try await Certificates.make()
        let process = try await ChildProcess.start(
            "front_check.py", Toolbox.python,
            [
                Toolbox.support("front_check.py"), "--broker", "127.0.0.1:\(broker.port)",
                "--certificates", URL(filePath: certificates.certificate("ca")).deletingLastPathComponent().path,
            ])
        let end = try? await process.end(within: .seconds(600))
        await process.stop()
        guard end == .exit(0) else {
            let said = await process.output.all + process.errors.all
            throw HarnessError("front_check.py ended with \(String(describing: end))", said.joined(separator: "\n"))
        }
    }
}
