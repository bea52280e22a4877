import BenchmarkSuite
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// The endurance run: many devices, with and without the bridge, while everything around them fails; and a verdict.
package enum Endurance {
    /// Runs until the time is over, or until Ctrl-C, and prints the report.
    ///
    /// - Returns: whether there was no fault.
    /// - Throws: `SuiteError` if the run cannot be made on this machine.
    package static func run(_ options: EnduranceOptions) throws -> Bool {
        let stop = StopFlag()
        CleanUp.shared.handleSignals { stop.set() }
        return try SuiteThread.run {
            FileLimit.raise()
            let tools = try Tools(root: options.root)
            let folder = try TemporaryFolder.make()
            let (network, whyLoopback) = try Network.make(tools, loopback: options.loopback, folder: folder)
            try network.set(TroubleMaker.link)
            let stage = try EnduranceStage(options.groups, network, tools, folder: folder)
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            defer { try? group.syncShutdownGracefully() }
            let run = EnduranceRun(
                options, stage, folder: folder, whyLoopback: whyLoopback, stop: stop, on: group.next())
            let report = try run.run()
            if let json = options.json { try write(report, to: json) }
            print(report.text)
            return report.isFaultless
        }
    }

    private static func write(_ report: EnduranceReport, to path: String) throws {
        do {
            try report.json().write(to: URL(filePath: path))
        } catch {
            throw SuiteError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

/// Whether the run is to end early. The second signal ends it at once.
final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// - Returns: whether it was not set before.
    func set() -> Bool { !flag.exchange(true, ordering: .relaxed) }
}
