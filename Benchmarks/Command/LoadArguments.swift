import ArgumentParser
import BenchmarkLoad
import MQTTCodec

/// The options of `bench load`, of which `LoadOptions` has the meaning and the defaults.
struct LoadArguments: ParsableArguments {
    @Option(name: .customLong("to"), help: "Where devices connect, as IP-ADDRESS:PORT.")
    var deviceEndpoint: String
    @Option(name: .customLong("receiver"), help: "Where the receiver connects, at the broker, as IP-ADDRESS:PORT.")
    var receiverEndpoint: String
    @Option(help: "The network namespace of the devices.") var deviceNamespace: String?
    @Option(help: "The network namespace of the receiver.") var receiverNamespace: String?
    @Option(help: "How many devices there are.") var devices = 100

    @Option(help: "Messages per second that each device publishes. (default: 1)") var rate: Double?
    @Option(help: "Each device publishes as fast as it can, with this many messages unacknowledged.")
    var saturate: Int?
    @Option(help: "Messages per second that the receiver's side publishes to all devices, which publish nothing.")
    var fanOut: Double?
    @Flag(help: "Nothing is published: devices are connected for the seconds of the run.") var idle = false

    @Option(help: "Bytes per payload, at least 32.") var payload = 200
    @Option(help: "QoS of all messages: 0 or 1.") var qos: UInt8 = 1
    @Option(name: .customLong("mqtt"), help: "MQTT version: 3.1.1 or 5.") var version = "3.1.1"
    @Option(help: "Seconds of publishing.") var seconds = 20.0
    @Option(name: .customLong("warm-up"), help: "Seconds at the beginning that are left out of the figures.")
    var warmUp = 2.0
    @Option(help: "Seconds to wait for stragglers after the last message.") var drain = 5.0
    @Option(help: "Connects per second; 0 lets all devices connect at once.") var connectRate = 500.0
    @Option(help: "Seconds that all devices together have to connect.") var connectSeconds = 60.0
    @Option(name: .customLong("keepalive"), help: "MQTT keep alive in seconds; 0 turns it off.")
    var keepAlive: UInt16 = 60
    @Flag(help: "Devices keep their sessions at the broker.") var persistent = false
    @Option(help: "Commands per second from the receiver's side to one device after the other.")
    var commands = 0.0
    @Option(help: "Seconds after the first message from which each device's recovery is counted.") var mark: Double?
    @Option(help: "The earliest time of the first message, in seconds of the monotonic clock.") var notBefore: Double?
    @Option(help: "Seconds before a device connects again, give or take a fifth.") var reconnect = 1.0
    @Option(help: "The first level of all topics, and the beginning of all client identifiers.") var topic = "load"
    @Option(help: "The user name of devices and receiver.") var username: String?
    @Option(help: "The password of devices and receiver.") var password: String?
    @Option(name: .customLong("process"), help: "A process to report on, as NAME:PID. May be repeated.")
    var processes: [String] = []
    @Option(
        name: .customLong("at"),
        help: "A shell command to run so many seconds after the first message, as SECONDS:COMMAND. May be repeated.")
    var timedCommands: [String] = []

    /// - Throws: `ValidationError` for text that is none of its kind. `LoadGenerator` checks ranges.
    func options() throws -> LoadOptions {
        var options = LoadOptions(
            deviceEndpoint: try endpoint(deviceEndpoint, "to"),
            receiverEndpoint: try endpoint(receiverEndpoint, "receiver"))
        options.deviceNamespace = deviceNamespace
        options.receiverNamespace = receiverNamespace
        options.devices = devices
        options.traffic = try traffic()
        options.payloadLength = payload
        guard let qos = QoS(rawValue: qos) else { throw ValidationError("qos: \(self.qos) is neither 0 nor 1") }
        options.qos = qos
        switch version {
        case "3.1.1": options.version = .v3_1_1
        case "5": options.version = .v5_0
        default: throw ValidationError("mqtt: '\(version)' is neither 3.1.1 nor 5")
        }
        options.seconds = seconds
        options.warmUpSeconds = warmUp
        options.drainSeconds = drain
        options.connectRate = connectRate
        options.connectSeconds = connectSeconds
        options.keepAlive = keepAlive
        options.isPersistent = persistent
        options.commandRate = commands
        options.mark = mark
        options.notBefore = notBefore
        options.reconnectSeconds = reconnect
        options.topic = topic
        options.username = username
        options.password = password
        options.processes = try processes.map(process)
        return options
    }

    func events() throws -> TimedCommands { try TimedCommands(timedCommands) }

    private func endpoint(_ text: String, _ name: String) throws -> LoadEndpoint {
        guard let endpoint = LoadEndpoint(text) else {
            throw ValidationError("\(name): '\(text)' is not IP-ADDRESS:PORT, such as 127.0.0.1:1883")
        }
        return endpoint
    }

    private func traffic() throws -> LoadOptions.Traffic {
        let chosen = [rate != nil, saturate != nil, fanOut != nil, idle].count { $0 }
        guard chosen <= 1 else { throw ValidationError("rate, saturate, fan-out and idle exclude each other") }
        if let saturate { return .saturation(window: saturate) }
        if let fanOut { return .fanOut(rate: fanOut) }
        return idle ? .idle : .steady(rate: rate ?? 1)
    }

    private func process(_ text: String) throws -> WatchedProcess {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let pid = Int32(parts[1]), pid > 0 else {
            throw ValidationError("process: '\(text)' is not NAME:PID")
        }
        return WatchedProcess(name: String(parts[0]), pid: pid)
    }
}
