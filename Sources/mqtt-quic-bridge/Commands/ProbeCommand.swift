import ArgumentParser
import Bridge
import BridgeConfig
import BridgeCore
import BrokerProbe
import QUICTransport
import UnixSignals

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Examines a broker over QUIC, step by step, and says what to put into bridge.yaml.",
        discussion: """
            Needs no configuration. It connects as a client with a random client id, and neither publishes nor subscribes: \
            resolve, handshake, certificates, transport parameters, CONNECT, the largest datagram, a change of address, \
            streams, session tickets and 0-RTT, connections at once, and the TLS fallback port. docs/probe.md explains the \
            steps and the JSON.

            The user name and password also come from MQTT_USERNAME and MQTT_PASSWORD in the environment or in .env, unless \
            these are for another host (MQTT_HOST).

            Exit codes: 0 the broker can be used; 1 only the port of --fallback-port does not work; 64 wrong command line; \
            65 certificate not acceptable; 68 name not found; 69 no answer over UDP; 70 error of this program; 74 broke \
            off: handshake, connection, or no answer to CONNECT; 75 busy; 76 no common protocol (ALPN, QUIC version); 77 \
            client refused; 78 a file cannot be used; 130 Ctrl-C; 143 SIGTERM.
            """)

    @OptionGroup var options: ProbeOptionGroup

    func run() async throws {
        let plan = try makePlan()
        for warning in plan.warnings { StandardError.write("warning: \(warning)\n") }
        for note in plan.notes { StandardError.write("note: \(note)\n") }
        let printer = ProbePrinter(isJSON: options.json)
        let probe: ProbeRun
        do {
            probe = try ProbeRun(
                plan.options, now: Int64(Date().timeIntervalSince1970),
                checkFallback: { try await Self.checkFallback(at: $0, plan.options) }, tell: printer.print)
        } catch {
            throw Self.shown(error.reason, ExitCode(error.kind.exitCode))
        }
        printer.begin(plan.options)
        let interruption = Task { await Self.endAtSignal(probe, printer) }
        let report = await probe.run()
        interruption.cancel()
        // If a signal has come, it is what ends the program: the run has only been cut short.
        await interruption.value
        try printer.end(
            report, configuration: ConfigurationAdvice(options: plan.options, report: report).yaml)
        if let failure = report.failure { throw ExitCode(failure.kind.exitCode) }
    }

    private func makePlan() throws -> ProbePlan {
        let environment: DeviceSettings.Result
        let dotEnv: DeviceSettings.Result
        do {
            environment = try DeviceSettings.environment(ProcessInfo.processInfo.environment)
            dotEnv = try DeviceSettings.dotEnv(
                at: options.certificates.envFile ?? ".env", isOptional: options.certificates.envFile == nil)
        } catch {
            throw Self.shown("\(error)", .configuration)
        }
        for warning in environment.warnings + dotEnv.warnings { StandardError.write("warning: \(warning)\n") }
        do {
            return try ProbePlan(options, [environment.settings, dotEnv.settings], systemCA: SystemTrust.file())
        } catch {
            guard !error.isFile else { throw Self.shown(error.description, .configuration) }
            throw Self.shown(
                "Error: \(error.description)\n`mqtt-quic-bridge probe --help` shows the options.", .validationFailure)
        }
    }

    private static func shown(_ message: String, _ code: ExitCode) -> ExitCode {
        StandardError.write("\(message)\n")
        return code
    }

    /// The same connection that `run` makes if UDP is blocked.
    private static func checkFallback(at port: Int, _ options: ProbeOptions) async throws -> Duration {
        let uplink = UplinkConfiguration(
            host: options.host, port: options.port, serverName: options.serverName,
            fallback: UplinkFallback(host: options.host, port: port, serverName: options.serverName),
            caFile: options.caFile, clientCertificateFile: options.clientCertificateFile,
            clientKeyFile: options.clientKeyFile, connectTimeout: options.timeout)
        return try await FallbackProbe.run(BridgeConfiguration(uplink: uplink)) ?? .zero
    }

    /// Tells the broker, and ends the program.
    private static func endAtSignal(_ probe: ProbeRun, _ printer: ProbePrinter) async {
        for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
            printer.stop()
            await probe.abandon()
            StandardError.write("interrupted\n")
            // As a shell shows a program that a signal has ended.
            ProcessEnd.now(signal == .sigint ? 130 : 143)
        }
    }
}
