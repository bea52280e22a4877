import MQTTQUICClient

/// The value of `-V`.
struct ProtocolVersion: Equatable, Sendable {
    var version: MQTTVersion

    init(parsing text: String) throws(UsageError) {
        switch text {
        case "5", "mqttv5": version = .v5_0
        case "311", "mqttv311": version = .v3_1_1
        case "31", "mqttv31":
            throw UsageError("MQTT 3.1 is not spoken over QUIC; use 311 or 5")
        default: throw UsageError("\"\(text)\" is not a version of MQTT; use 311 or 5")
        }
    }
}

/// The value of `-q` and `--will-qos`.
struct QoSOption: Equatable, Sendable {
    var qos: MQTTQoS

    init(parsing text: String) throws(UsageError) {
        guard let qos = UInt8(text).flatMap(MQTTQoS.init(rawValue:)) else {
            throw UsageError("\"\(text)\" is not a QoS; use 0, 1 or 2")
        }
        self.qos = qos
    }
}

/// The value of `-x`.
struct SessionExpiry: Equatable, Sendable {
    /// In seconds; `UInt32.max` means for ever.
    var seconds: UInt32

    init(parsing text: String) throws(UsageError) {
        if text == "∞" || text == "-1" {
            seconds = .max
        } else if let seconds = UInt32(text) {
            self.seconds = seconds
        } else {
            throw UsageError("\"\(text)\" is not a number of seconds from 0 to 4294967295, or -1 for ever")
        }
    }
}

/// The value of `-F`.
struct FormatOption: Equatable, Sendable {
    var format: MessageFormat

    init(parsing text: String) throws(UsageError) {
        do {
            format = try MessageFormat(parsing: text)
        } catch {
            throw UsageError(error.description)
        }
    }
}

/// The value of `--random-filter`.
struct Chance: Equatable, Sendable {
    /// 1 to 1000: how many of a thousand messages are printed.
    var perMille: Int

    init(parsing text: String) throws(UsageError) {
        guard let percent = Double(text), (0.1...100).contains(percent) else {
            throw UsageError("\"\(text)\" is not a percentage from 0.1 to 100.0")
        }
        perMille = Int((percent * 10).rounded())
    }
}

/// The value of `--repeat-delay`.
struct RepeatDelay: Equatable, Sendable {
    var duration: Duration

    init(parsing text: String) throws(UsageError) {
        guard let seconds = Double(text), (0...86_400).contains(seconds) else {
            throw UsageError("\"\(text)\" is not a number of seconds from 0 to 86400, such as 0.5")
        }
        duration = .nanoseconds(Int64((seconds * 1_000_000_000).rounded()))
    }
}
