import BridgeCore
import Logging

/// Follows the folder of bundles that is in force, and goes over to another one when the configuration names it. Devices
/// that are connected stay connected.
struct BundleWatch {
    /// The time between two looks, at least. Two looks have to find the same before a change counts.
    private static let interval = Duration.seconds(2)
    /// A look takes at most this part of the time, unless it takes longer than ``longestInterval`` allows.
    private static let share = 100
    /// However long a look took, a bundle that was removed is missed by then.
    private static let longestInterval = Duration.seconds(60)
    /// More problems than this are summed up in one line.
    private static let mostLines = 10

    private let shared: SharedState

    init(_ shared: SharedState) {
        self.shared = shared
    }

    /// Runs until the task is cancelled.
    func run() async {
        // The bundles whose problems have been logged.
        var known: DeviceBundles?
        var pause = Duration.zero
        // The folder of which it has been logged that it can't be read.
        var unreadable: DeviceBundles?
        while (try? await Task.sleep(for: pause)) != nil {
            pause = Self.interval
            guard let bundles = shared.generation.bundles else { continue }
            if known !== bundles {
                known = bundles
                logProblems(bundles.live.current.problems)
            }
            let start = ContinuousClock.now
            guard let result = await FileThread.run({ Result { try bundles.look() } }) else { return }
            pause = max(pause, min(start.duration(to: .now) * Self.share, Self.longestInterval))
            switch result {
            case .success(let change):
                unreadable = nil
                if let change { log(change.before, change.now) }
            case .failure(let error):
                guard unreadable !== bundles else { continue }
                unreadable = bundles
                shared.logger.warning(
                    "reading the folder of bundles failed; the previous bundles stay in use",
                    metadata: ["error": "\(error)", "leg": "device"])
            }
        }
    }

    private func log(_ before: BundleBook, _ now: BundleBook) {
        shared.logger.notice(
            "bundles reloaded",
            metadata: [
                "bundles": "\(now.count)", "usable": "\(now.usableCount)", "problems": "\(now.problems.count)",
                "leg": "device",
            ])
        let known = Set(before.problems)
        logProblems(now.problems.filter { !known.contains($0) })
    }

    private func logProblems(_ problems: [BundleBook.Problem]) {
        for problem in problems.prefix(Self.mostLines) {
            shared.logger.warning("a bundle needs attention", metadata: ["detail": "\(problem)", "leg": "device"])
        }
        let rest = problems.count - Self.mostLines
        guard rest > 0 else { return }
        shared.logger.warning(
            "more bundles need attention; check shows all of them",
            metadata: ["count": "\(rest)", "leg": "device"])
    }
}
