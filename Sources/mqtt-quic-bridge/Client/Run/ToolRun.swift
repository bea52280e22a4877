import ArgumentParser
import Logging
import MQTTQUICClient
import UnixSignals

/// Runs a tool until its work is done or a signal ends it, and then ends the MQTT session in order.
///
/// The first SIGTERM or SIGINT ends the session, the second one the program. Work that waits for standard input or output
/// is not waited for, because a pipe may stay silent for ever.
struct ToolRun: Sendable {
    /// How a tool ends.
    typealias Finish = @Sendable (ExitCode) -> Void

    let client: MQTTClient
    /// For `-d`; it says nothing otherwise.
    let logger: Logger
    let console: ToolConsole
    let properties: ToolProperties

    private enum Event: Sendable {
        case finished(ExitCode)
        case signal(UnixSignal)
        case disconnected
    }

    init(_ plan: ConnectionPlan, _ console: ToolConsole, isDebugging: Bool) {
        logger = Self.logger(isDebugging: isDebugging)
        client = MQTTClient(plan.configuration, logger: logger)
        properties = plan.properties
        self.console = console
    }

    /// For `-d`; otherwise a logger that says nothing.
    static func logger(isDebugging: Bool) -> Logger {
        guard isDebugging else { return Logger(label: "mqtt-quic-bridge") { _ in SwiftLogNoOpLogHandler() } }
        BridgeLogHandler.bootstrap(LogOutput(.init(level: .debug, format: .text)) { StandardError.write($0) })
        return Logger(label: "mqtt-quic-bridge")
    }

    /// - Parameters:
    ///   - work: Calls its argument when it is done, and may go on until the process ends.
    ///   - signalCode: The exit code for a signal.
    /// - Returns: The exit code.
    func run(
        _ work: @escaping @Sendable (@escaping Finish) async -> Void, signalCode: (UnixSignal) -> ExitCode
    ) async -> ExitCode {
        let (events, event) = AsyncStream.makeStream(of: Event.self)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let watching = Task { for await signal in signals { event.yield(.signal(signal)) } }
        let working = Task { await work { event.yield(.finished($0)) } }
        let reporting = Task { [client, console] in
            for await event in client.events {
                guard case .disconnected(let error, let retry?) = event else { continue }
                console.warning("\(error); the next attempt to connect is in \(Self.seconds(retry)) s")
            }
        }
        defer {
            watching.cancel()
            working.cancel()
            reporting.cancel()
        }
        var result: ExitCode?
        for await next in events {
            switch next {
            case .finished(let code) where result == nil: result = code
            case .signal(let signal) where result == nil: result = signalCode(signal)
            case .signal, .disconnected: return result ?? .success
            case .finished: continue
            }
            // What else the work has begun fails from now on, which nobody needs to hear.
            console.silence()
            Task {
                await disconnect()
                event.yield(.disconnected)
            }
        }
        return result ?? .success
    }

    /// With one digit after the point.
    private static func seconds(_ duration: Duration) -> String {
        let tenths = (duration / .milliseconds(100)).rounded()
        return String(tenths / 10)
    }

    private func disconnect() async {
        await client.disconnect(
            sessionExpiry: properties.disconnect.sessionExpiry.map { .seconds(Int64($0)) },
            userProperties: properties.disconnect.userProperties)
    }
}
