import BridgeCore
import Logging

// The service takes nobody new, and ends when all have left.
extension MonitorState {
    /// How often it is looked whether devices are left.
    private static var glance: Duration { .milliseconds(100) }

    /// Returns once no new devices are taken. If the service drains already, only its limit changes. Nothing happens if it
    /// does not run, and the result is `false`.
    @discardableResult
    func drain(within limit: Duration?) async -> Bool {
        let limit = limit ?? drainTimeout()
        guard let stopTaking = beginDrain(within: limit) else { return false }
        await stopTaking(limit)
        drainBegan.yield()
        return true
    }

    /// Waits for a drain to begin, and then until no device is left or its time is over.
    func untilDrained(_ logger: Logger) async {
        for await _ in drainBegins { break }
        guard !Task.isCancelled, let end = running.drainsUntil else { return }
        logger.notice(
            "draining: nobody new is taken, and the program ends when all have left",
            metadata: ["within": "\(end - .now)"])
        // The limit may change meanwhile.
        while let end = running.drainsUntil, end > .now {
            guard await census.isOccupied() else { return logger.info("all have left") }
            do { try await Task.sleep(for: Self.glance) } catch { return }
        }
        let left = await census.counts().all
        logger.notice("the time to drain is over", metadata: ["left": "\(left)"])
    }
}

extension DeviceCensus {
    /// Whether anybody is left on one of the loops.
    fileprivate func isOccupied() async -> Bool {
        await collect { $0.isOccupied }.contains(true)
    }
}
