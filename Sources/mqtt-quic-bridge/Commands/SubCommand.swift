import ArgumentParser
import MQTTQUICClient

struct SubCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sub",
        abstract: "Subscribes over QUIC and prints messages, as mosquitto_sub does over TCP.",
        discussion: """
            Options, output and exit codes are those of mosquitto_sub; docs/tools.md names the differences and explains -F. \
            Host, user name, password and CA can also come from MQTT_HOST, MQTT_USERNAME, MQTT_PASSWORD and MQTT_CA_CERT in \
            the environment or in .env. A lost connection is made again. Exit codes: 0 after -C messages, -E, SIGTERM or \
            Ctrl-C; 1 if an argument is wrong or there is no connection; the code of the CONNACK if the broker refuses it; \
            27 after -W.
            """,
        helpNames: [.long])

    @OptionGroup(title: "Broker and session") var broker: BrokerOptions

    @Option(
        name: [.customShort("t"), .long], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A topic filter to subscribe to. It can be repeated.", valueName: "filter"))
    var topic: [String] = []

    @Option(
        name: [.customShort("q"), .long], parsing: .unconditional,
        help: ArgumentHelp("The highest QoS: 0, 1 or 2. Default: 0.", valueName: "qos"),
        transform: QoSOption.init(parsing:))
    var qos: QoSOption?

    @Flag(name: [.customShort("v"), .long], help: "Print the topic before each message.")
    var verbose = false

    @Option(
        name: .customShort("F"), parsing: .unconditional,
        help: ArgumentHelp("How each message is printed, for example '%I %t %p' or %j.", valueName: "format"),
        transform: FormatOption.init(parsing:))
    var format: FormatOption?

    @Flag(name: .customLong("pretty"), help: "Print the JSON of %j and %J on several lines.")
    var isPretty = false

    @Flag(name: .customShort("N"), help: "Print no line break after a message.")
    var noLineBreak = false

    @Option(
        name: .customShort("C"), parsing: .unconditional,
        help: ArgumentHelp("End after this many messages.", valueName: "count"))
    var count: Int?

    @Option(
        name: .customShort("W"), parsing: .unconditional,
        help: ArgumentHelp("End after this many seconds, with exit code 27.", valueName: "seconds"))
    var timeout: Int?

    @Flag(name: .customShort("E"), help: "End as soon as the broker has accepted the subscriptions.")
    var endsWhenSubscribed = false

    @Flag(name: .customShort("R"), help: "Print no messages that the broker had kept (retained messages).")
    var ignoresRetained = false

    @Flag(name: .customLong("retained-only"), help: "Print only retained messages, and end at the first other one.")
    var onlyRetained = false

    @Flag(name: .customLong("remove-retained"), help: "Ask the broker to forget the retained messages that arrive.")
    var removesRetained = false

    @Flag(help: "Keep the mark with which messages were published. With -V 5 only.")
    var retainAsPublished = false

    @Option(
        name: [.customShort("T"), .long], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Print nothing whose topic matches this. It can be repeated.", valueName: "filter"))
    var filterOut: [String] = []

    @Option(
        name: [.customShort("U"), .long], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("End a subscription of the session. It can be repeated.", valueName: "filter"))
    var unsubscribe: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Print only this percentage of the messages, 0.1 to 100.", valueName: "percent"),
        transform: Chance.init(parsing:))
    var randomFilter: Chance?

    @OptionGroup(title: "Trust and files") var trust: TrustOptions

    @OptionGroup(title: "Will") var will: WillOptions

    @OptionGroup var refused: RefusedOptions

    func validate() throws {
        do {
            _ = try plan(version: broker.protocolVersion?.version ?? .v5_0)
            _ = try rules()
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        let console = ToolConsole(isQuiet: broker.quiet)
        var connection = try ToolSetup.connection(broker, trust, will)
        connection.reconnects()
        if let count, count < 20 { connection.limitReceiveMaximum(to: count) }
        let configuration = connection.configuration
        let (plan, rules): (SubscribePlan, SubscriptionRules)
        do {
            (plan, rules) = (try self.plan(version: configuration.version), try self.rules())
        } catch {
            throw ToolSetup.refusal(error)
        }
        let run = ToolRun(connection, console, isDebugging: broker.debug)
        let printer = MessagePrinter(rules, style, endsLines: !noLineBreak, run.client, console)
        let subscriber = Subscriber(
            client: run.client, plan: plan, properties: connection.properties, printer: printer,
            version: configuration.version, continuesSession: !configuration.cleanStart, logger: run.logger,
            console: console)
        throw await run.run({ await subscriber.run($0) }, signalCode: { _ in .success })
    }

    private var style: OutputStyle {
        if let format { return .format(format.format, isPretty: isPretty) }
        return verbose ? .verbose : .payload
    }

    func plan(version: MQTTVersion) throws(UsageError) -> SubscribePlan {
        let url = try broker.url()
        var plan = try SubscribePlan(
            filters: topic + [url?.topic].compactMap { $0 }, unsubscribed: unsubscribe,
            qos: qos?.qos ?? .atMostOnce, version: version, isRetainedWanted: !ignoresRetained,
            retainAsPublished: retainAsPublished)
        plan.endsWhenSubscribed = endsWhenSubscribed
        if let timeout {
            guard (1...Int(Int32.max)).contains(timeout) else {
                throw UsageError("-W: \(timeout) is not a number of seconds from 1 to \(Int32.max)")
            }
            plan.timeout = .seconds(timeout)
        }
        return plan
    }

    func rules() throws(UsageError) -> SubscriptionRules {
        if ignoresRetained, onlyRetained {
            throw UsageError("-R and --retained-only exclude each other: together they print nothing")
        }
        if let count, count < 1 { throw UsageError("-C: \(count) is not a number of messages, 1 or more") }
        for filter in filterOut { try SubscribePlan.check(filter, "-T") }
        var rules = SubscriptionRules()
        rules.ignoresRetained = ignoresRetained
        rules.onlyRetained = onlyRetained
        rules.removesRetained = removesRetained
        rules.filteredOut = filterOut
        rules.maximum = count
        rules.chancePerMille = randomFilter?.perMille ?? 1_000
        return rules
    }
}
