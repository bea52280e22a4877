import BridgeCore
import Logging

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What systemd, or another service manager with its protocol, has told the program in its environment.
struct ServiceManager: Sendable {
    /// `nil` if it does not want to be told anything.
    let sender: NoticeSender?
    /// The time between two messages that all event loops turn; `nil` if it does not watch the program.
    let watchdog: Duration?

    /// Logs what is wrong with a variable. The program runs without what that variable is for.
    init(
        _ environment: [String: String] = ProcessInfo.processInfo.environment,
        processID: Int32 = ProcessInfo.processInfo.processIdentifier, logger: Logger
    ) {
        func use<Value>(_ read: () throws -> Value?) -> Value? {
            do {
                return try read()
            } catch {
                logger.warning("the service manager is not told", metadata: ["error": "\(error)"])
                return nil
            }
        }
        sender = use {
            try environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : try NoticeSender(NotifySocket(parsing: $0)) }
        }
        watchdog = use { try WatchdogTime.interval(in: environment, processID: processID) }
    }

    /// The sockets that were passed to this process.
    static func passedDescriptors() throws(SupervisionError) -> [PassedDescriptor] {
        try PassedDescriptor.all(
            in: ProcessInfo.processInfo.environment, processID: ProcessInfo.processInfo.processIdentifier)
    }

    /// Tells that the configuration is being read again; ``ready()`` has to follow, whether it was good or not.
    func reloading() async {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
        _ = await sender?.send(.reloading(monotonicMicroseconds: microseconds))
    }

    /// Tells that the configuration has been read again, or stays as it was.
    func ready() async {
        _ = await sender?.send(.ready(status: nil))
    }
}
