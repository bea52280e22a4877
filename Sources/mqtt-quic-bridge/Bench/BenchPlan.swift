import MQTTQUICClient
import NIOCore

import enum MQTTCodec.TopicName

/// What `bench` does: how many devices, and what each of them publishes.
struct BenchPlan: Sendable, Equatable {
    /// The limits keep a mistyped number from taking all memory.
    static let mostDevices = 100_000
    static let mostSubscribers = 1_000
    static let largestPayload = 1_048_576
    static let highestRate = 10_000.0
    static let longestDuration = 604_800

    var devices = 10
    /// Messages per second of each device.
    var rate = 1.0
    var qos = MQTTQoS.atLeastOnce
    /// Bytes of payload.
    var size = 64
    /// How many seconds the devices publish, from when the last one has connected.
    var duration = 30
    var topic = BenchPattern("bench/%i")
    /// How many connections per second are begun.
    var connectRate = 100.0
    /// How many clients receive all messages.
    var subscribers = 0
    /// How many messages of a device may wait for their acknowledgement.
    var window = 20
    var clientID = BenchPattern("bench-%p-%i")
    /// Whether user name and password are patterns too. Those of the environment and of `.env` are not, because they
    /// are written for one device.
    var takesUsername = false
    var takesPassword = false
    /// The properties of each message.
    var properties = MQTTMessageProperties()

    /// All clients.
    var connections: Int { devices + subscribers }

    /// What the heaviest message counts for in the limit on bytes that wait for their acknowledgement.
    func messageWeight(process: Int32) -> Int {
        let payload = ByteBuffer(repeating: 0, count: size)
        // The last device has the longest number.
        let topic = topic.text(of: devices, process: process)
        return MQTTMessage(topic: topic, payload: payload, properties: properties).weight
    }

    /// Checks the values against their ranges and each other.
    func validate() throws(UsageError) {
        try Self.check("--devices", devices, 1...Self.mostDevices, "a number of devices")
        try Self.check("--size", size, BenchStamp.length...Self.largestPayload, "a number of bytes")
        try Self.check("--duration", duration, 1...Self.longestDuration, "a number of seconds")
        try Self.check("--subscribers", subscribers, 0...Self.mostSubscribers, "a number of subscribers")
        try Self.check("-M", window, 1...1_024, "a number")
        try Self.check("--rate", rate, "messages per second of one device")
        try Self.check("--connect-rate", connectRate, "connections per second")
        if connections > 1, !clientID.isPerDevice {
            throw UsageError("-i: the devices need different client ids; put %i, the number of the device, into it")
        }
        do {
            try TopicName.validate(topic.text(of: devices, process: 0))
        } catch {
            throw UsageError("-t \"\(topic.text)\": \(error.message); give a topic without + and #, such as bench/%i")
        }
    }

    private static func check(
        _ option: String, _ value: Int, _ range: ClosedRange<Int>, _ what: String
    ) throws(UsageError) {
        guard !range.contains(value) else { return }
        throw UsageError("\(option): \(value) is not \(what) from \(range.lowerBound) to \(range.upperBound)")
    }

    private static func check(_ option: String, _ rate: Double, _ what: String) throws(UsageError) {
        // One per week at least, so that times fit into their numbers.
        guard !(rate >= 1 / Double(longestDuration) && rate <= highestRate) else { return }
        throw UsageError("\(option): \(rate) is not a number of \(what), above 0 and up to \(Int(highestRate))")
    }

    /// The user name and password of a device.
    ///
    /// - Parameter common: Those that all devices would have, or patterns for them.
    func credentials(
        _ common: MQTTClientConfiguration.Credentials?, of device: Int, process: Int32
    ) -> MQTTClientConfiguration.Credentials? {
        guard var credentials = common else { return nil }
        if takesUsername, let username = credentials.username {
            credentials.username = BenchPattern(username).text(of: device, process: process)
        }
        // A password that is not text is no pattern.
        if takesPassword, let text = credentials.password.flatMap({ String(validating: $0, as: UTF8.self) }) {
            credentials.password = Array(BenchPattern(text).text(of: device, process: process).utf8)
        }
        return credentials
    }

    /// When the message of this index is due, in nanoseconds after the devices began. The devices take turns within
    /// the interval, so that they do not all publish at once.
    func due(_ index: Int, of device: Int) -> Int64 {
        let interval = 1e9 / rate
        return Int64(interval * (Double(index) + Double((device - 1) % devices) / Double(devices)))
    }

    /// How many messages a device is to publish in all.
    func messages(of device: Int) -> Int {
        let left = Double(duration) - Double((device - 1) % devices) / Double(devices) / rate
        return max(Int((left * rate).rounded(.up)), 0)
    }
}
