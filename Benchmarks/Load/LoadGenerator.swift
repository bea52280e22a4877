import Glibc
import NIOCore
import NIOPosix

/// Plays many MQTT devices and the receiving end at their broker, and measures what passes between them. One thread
/// does all of it, with one clock.
package enum LoadGenerator {
    /// Runs a load until its report is there.
    ///
    /// - Parameter onPublishing: Called on the run's thread when the devices begin to publish, or to idle. It must not
    ///   block.
    /// - Throws: `LoadError` if an option cannot be used, or if the run has ended early.
    package static func run(
        _ options: LoadOptions, onPublishing: @escaping @Sendable () -> Void = {}
    ) async throws -> LoadReport {
        try options.check()
        try raiseFileLimit(for: options.devices)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        let result: Result<LoadReport, any Error>
        // The run is kept until the event loop has ended, because its connections refer to it.
        var bound: NIOLoopBound<LoadRun>?
        do {
            let run = try await eventLoop.submit {
                let run = try LoadRun(options, on: eventLoop, onPublishing: onPublishing)
                run.start()
                return NIOLoopBound(run, eventLoop: eventLoop)
            }.get()
            bound = run
            result = .success(try await eventLoop.flatSubmit { run.value.promise.futureResult }.get())
        } catch {
            result = .failure(error)
        }
        try await group.shutdownGracefully()
        withExtendedLifetime(bound) {}
        return try result.get()
    }

    /// Lets this process open as many sockets as it may.
    private static func raiseFileLimit(for devices: Int) throws(LoadError) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let needed = rlim_t(devices + 64)
        guard limit.rlim_cur < needed else { return }
        limit.rlim_cur = limit.rlim_max
        guard limit.rlim_max >= needed, setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw .option("devices: \(devices) need more open files than the limit of \(limit.rlim_max), see ulimit -n")
        }
    }
}
