import ArgumentParser
import MQTTQUICClient

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct PubCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pub",
        abstract: "Publishes messages over QUIC, as mosquitto_pub does over TCP.",
        discussion: """
            Options, output and exit codes are those of mosquitto_pub; docs/tools.md names the differences. Host, user name, \
            password and CA can also come from MQTT_HOST, MQTT_USERNAME, MQTT_PASSWORD and MQTT_CA_CERT in the environment \
            or in .env. Exit codes: 0 if everything was published; 1 if an argument is wrong or there is no connection; \
            the code of the CONNACK if the broker refuses it; 7 if the connection is lost.
            """,
        helpNames: [.long])

    @OptionGroup(title: "Broker and session") var broker: BrokerOptions

    @Option(
        name: [.customShort("t"), .long], parsing: .unconditional,
        help: ArgumentHelp("The topic to publish to.", valueName: "topic"))
    var topic: String?

    @Option(
        name: [.customShort("m"), .long], parsing: .unconditional,
        help: ArgumentHelp("The message.", valueName: "text"))
    var message: String?

    @Option(
        name: [.customShort("f"), .long], parsing: .unconditional,
        help: ArgumentHelp("A file whose content is the message.", valueName: "file"))
    var file: String?

    @Flag(name: [.customShort("s"), .customLong("stdin-file")], help: "Standard input is the message.")
    var readsInput = false

    @Flag(name: [.customShort("l"), .customLong("stdin-line")], help: "Each line of standard input is a message.")
    var readsLines = false

    @Flag(name: [.customShort("n"), .customLong("null-message")], help: "The message is empty.")
    var isEmpty = false

    @Option(
        name: [.customShort("q"), .long], parsing: .unconditional,
        help: ArgumentHelp("The QoS: 0, 1 or 2. Default: 0.", valueName: "qos"), transform: QoSOption.init(parsing:))
    var qos: QoSOption?

    @Flag(
        name: [.customShort("r"), .customLong("retain")], help: "The broker keeps the message for later subscribers.")
    var isRetained = false

    @Option(
        name: .customLong("repeat"), parsing: .unconditional,
        help: ArgumentHelp("How often the message is published. Default: 1.", valueName: "count"))
    var count: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The time between the messages of --repeat, in seconds. Default: 0.", valueName: "seconds"),
        transform: RepeatDelay.init(parsing:))
    var repeatDelay: RepeatDelay?

    @OptionGroup(title: "Trust and files") var trust: TrustOptions

    @OptionGroup(title: "Will") var will: WillOptions

    @OptionGroup var refused: RefusedOptions

    func validate() throws {
        do {
            _ = try plan()
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        let console = ToolConsole(isQuiet: broker.quiet)
        var connection = try ToolSetup.connection(broker, trust, will)
        var plan: PublishPlan
        do {
            plan = try self.plan()
        } catch {
            throw ToolSetup.refusal(error)
        }
        if plan.source == .lines { connection.reconnects() }
        plan.byteWindow = connection.configuration.maximumOutstandingBytes
        let version = connection.configuration.version
        let run = ToolRun(connection, console, isDebugging: broker.debug)
        let publisher = Publisher(
            client: run.client, plan: plan, version: version, logger: run.logger, console: console)
        throw await run.run(
            { finish in finish(await publisher.run()) }, signalCode: { ToolExit.signal($0.rawValue) })
    }

    func plan() throws(UsageError) -> PublishPlan {
        var sources: [PublishPlan.Source] = []
        if let message { sources.append(.text(message)) }
        if let file { sources.append(.file(file)) }
        if readsInput { sources.append(.standardInput) }
        if readsLines { sources.append(.lines) }
        if isEmpty { sources.append(.empty) }
        let url = try broker.url()
        var plan = try PublishPlan(topic: topic ?? url?.topic, sources: sources)
        if let count {
            guard count > 0 else { throw UsageError("--repeat: \(count) is not a number of messages, 1 or more") }
            guard !readsLines else { throw UsageError("--repeat: the lines of -l are published once") }
            plan.count = count
        }
        plan.delay = repeatDelay?.duration ?? .zero
        plan.qos = qos?.qos ?? .atMostOnce
        plan.isRetained = isRetained
        plan.window = broker.maximumInFlight ?? plan.window
        plan.properties = try ToolProperties(broker.property).publish
        return plan
    }
}
