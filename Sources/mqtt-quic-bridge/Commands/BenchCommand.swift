import ArgumentParser
import BridgeConfig
import Logging
import MQTTQUICClient
import UnixSignals

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Puts the load of many devices on a broker over QUIC, and measures latencies.",
        discussion: """
            Each device is an MQTT client with a connection of its own, and publishes at its rate whether or not the broker \
            keeps up. In -t, -i, -u and -P, and in the files of --username-file and --pw-file, %i is the number of the \
            device from 1, %p the process id and %% a percent sign. Ctrl-C ends the run in order, and the table is \
            printed; a second Ctrl-C ends the program at once. docs/tools.md explains the table and the JSON.

            Exit codes: 0 if everything was published and has arrived; 1 if an argument or a file is wrong; 3 if a \
            connection or a message failed; 69 if no device could connect; 130 or 143 if Ctrl-C or SIGTERM ended it.
            """,
        helpNames: [.long])

    @Argument(help: ArgumentHelp("The broker, if -h does not name it: HOST or HOST:PORT.", valueName: "host"))
    var target: String?

    @OptionGroup(title: "Load") var load: BenchLoadOptions

    @OptionGroup(title: "Broker and session") var broker: BrokerOptions

    @OptionGroup(title: "Trust and files") var trust: TrustOptions

    func validate() throws {
        do {
            _ = try plan()
            _ = try namedBroker()
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        let plan: BenchPlan
        let broker: BrokerOptions
        do {
            plan = try self.plan()
            broker = try namedBroker()
        } catch {
            throw ToolSetup.refusal(error)
        }
        let connection = try ToolSetup.connection(broker, trust, try WillOptions.parse([]))
        if let warning = FileDescriptors.raise(for: plan.connections, name: "--devices") {
            ToolConsole(isQuiet: broker.quiet).warning(warning)
        }
        let run = BenchRun(
            plan: plan, configuration: connection.configuration, process: ProcessInfo.processInfo.processIdentifier,
            logger: ToolRun.logger(isDebugging: broker.debug))
        throw await perform(run)
    }

    /// Returns the exit code.
    private func perform(_ run: BenchRun) async -> ExitCode {
        let working = Task { await run.run() }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let watching = Task {
            var first: UnixSignal?
            for await signal in signals {
                if first != nil { ProcessEnd.now(ToolExit.signal(signal.rawValue).rawValue) }
                first = signal
                run.stop()
                working.cancel()
            }
            return first
        }
        let progress = Task { if !broker.quiet { await BenchProgress.show(run) } }
        let report = await working.value
        progress.cancel()
        await progress.value
        watching.cancel()
        do {
            print(load.json ? try BenchDocument(report).text() : report.text, terminator: "")
        } catch {
            StandardError.write("Error: the report cannot be written as JSON: \(error)\n")
            return .failure
        }
        if report.wasInterrupted { return ToolExit.signal((await watching.value ?? .sigint).rawValue) }
        return report.exitCode
    }

    func plan() throws(UsageError) -> BenchPlan {
        if broker.keepsSession || broker.sessionExpiry != nil {
            throw UsageError("-c and -x: bench leaves no sessions at the broker; leave them out")
        }
        var plan = BenchPlan()
        plan.devices = load.devices
        plan.rate = load.rate
        plan.qos = load.qos?.qos ?? plan.qos
        plan.size = load.size
        plan.duration = load.duration
        plan.connectRate = load.connectRate
        plan.subscribers = load.subscribers
        plan.window = broker.maximumInFlight ?? plan.window
        let url = try broker.url()
        if let topic = load.topic ?? url?.topic { plan.topic = BenchPattern(topic) }
        if let text = broker.clientID ?? broker.clientIDPrefix.map({ $0 + "%p-%i" }) {
            plan.clientID = BenchPattern(text)
        }
        plan.properties = try ToolProperties(broker.property).publish
        plan.takesUsername = broker.credentials.username != nil || broker.credentials.usernameFile != nil
        plan.takesPassword = broker.credentials.password != nil || broker.credentials.passwordFile != nil
        try plan.validate()
        return plan
    }

    /// The options, with the host from either place.
    func namedBroker() throws(UsageError) -> BrokerOptions {
        var broker = broker
        if let target {
            guard broker.host == nil else { throw UsageError("the broker is named twice: \(target), and -h") }
            do {
                let (host, port) = try EndpointText.parse(target)
                if port != nil, broker.port != nil { throw UsageError("the port is given twice: \(target), and -p") }
                broker.host = host
                broker.port = port ?? broker.port
            } catch let error as UsageError {
                throw error
            } catch {
                throw UsageError("\(target): \(error)")
            }
        }
        // The plan makes the client ids, so that those of the environment do not count.
        if broker.clientIDPrefix == nil, broker.clientID == nil { broker.clientID = BenchPlan().clientID.text }
        return broker
    }
}
