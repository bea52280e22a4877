import ArgumentParser

/// The options of `bench` that say what is published.
struct BenchLoadOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("How many devices there are.", valueName: "count"))
    var devices = 10

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many messages per second each device publishes, such as 0.1.", valueName: "per second"))
    var rate = 1.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long the devices publish, after all have connected.", valueName: "seconds"))
    var duration = 30

    @Option(
        name: [.customShort("q"), .long], parsing: .unconditional,
        help: ArgumentHelp("The QoS: 0, 1 or 2. Default: 1.", valueName: "qos"), transform: QoSOption.init(parsing:))
    var qos: QoSOption?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The bytes of a payload, 20 or more, because it has a time stamp.", valueName: "bytes"))
    var size = 64

    @Option(
        name: [.customShort("t"), .long], parsing: .unconditional,
        help: ArgumentHelp("The topic. Default: bench/%i.", valueName: "topic"))
    var topic: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many devices per second begin to connect.", valueName: "per second"))
    var connectRate = 100.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many further clients receive all messages, which shows the latency from end to end.",
            valueName: "count"))
    var subscribers = 0

    @Flag(help: "Print the result as JSON. Progress goes to standard error in any case.")
    var json = false
}
