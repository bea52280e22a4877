import ArgumentParser
import Bridge
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// Runs the program's one service until a signal ends it.
enum Supervisor {
    /// The first SIGTERM or SIGINT ends the service in order, a second one the program at once. Shows what made the
    /// service fail, and ends with `ExitCode.failure` then.
    static func run(_ service: any Service, _ logger: Logger) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        let group = ServiceGroup(
            configuration: .init(
                services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        let impatience = Task { await Self.exitAtSecondSignal(logger) }
        defer { impatience.cancel() }
        do {
            try await group.run()
        } catch {
            logger.critical("the program ended", metadata: ["error": "\(error)"])
            throw ExitCode.failure
        }
    }

    /// From now on SIGHUP and SIGUSR1 no longer end the program.
    static func signals() async -> ProgramSignals {
        ProgramSignals(reloads: await elements(.sighup), statistics: await elements(.sigusr1))
    }

    /// An element for each such signal; several that come before the first is taken are one.
    private static func elements(_ signal: UnixSignal) async -> AsyncStream<Void> {
        let signals = await UnixSignalsSequence(trapping: signal)
        let (elements, element) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        Task {
            for await _ in signals { element.yield() }
        }
        return elements
    }

    private static func exitAtSecondSignal(_ logger: Logger) async {
        var count = 0
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            count += 1
            guard count > 1 else { continue }
            logger.warning("second signal: ending at once", metadata: ["signal": "\(signal)"])
            Foundation.exit(1)
        }
    }
}
