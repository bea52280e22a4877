import MQTTQUICClient
import NIOCore

/// All properties that the `-D` options of a tool ask for, by packet.
struct ToolProperties: Equatable, Sendable {
    struct Connect: Equatable, Sendable {
        var sessionExpiry: UInt32?
        var receiveMaximum: UInt16?
        var maximumPacketSize: UInt32?
        var userProperties: [MQTTUserProperty] = []
    }

    struct Subscribe: Equatable, Sendable {
        var identifier: UInt32?
        var userProperties: [MQTTUserProperty] = []
    }

    struct Disconnect: Equatable, Sendable {
        var sessionExpiry: UInt32?
        var userProperties: [MQTTUserProperty] = []
    }

    var connect = Connect()
    var publish = MQTTMessageProperties()
    var subscribe = Subscribe()
    var unsubscribe: [MQTTUserProperty] = []
    var disconnect = Disconnect()
    var will = MQTTMessageProperties()
    /// In seconds.
    var willDelay: UInt32 = 0

    /// - Throws: If a value does not fit its property, or one property of a packet is given twice.
    init(_ properties: [ToolProperty] = []) throws(UsageError) {
        var seen: [(ToolProperty.Command, ToolProperty.Name)] = []
        for property in properties {
            if property.name != .userProperty {
                guard !seen.contains(where: { $0 == (property.command, property.name) }) else {
                    throw UsageError(
                        "\(property.name.rawValue) of \(property.command.rawValue.uppercased()) is given twice; keep one"
                    )
                }
                seen.append((property.command, property.name))
            }
            try apply(property)
        }
    }

    private mutating func apply(_ property: ToolProperty) throws(UsageError) {
        switch (property.command, property.name) {
        case (.connect, .sessionExpiry): connect.sessionExpiry = try property.number()
        case (.connect, .receiveMaximum): connect.receiveMaximum = try property.number(from: 1)
        case (.connect, .maximumPacketSize): connect.maximumPacketSize = try property.number(from: 1)
        case (.connect, _): connect.userProperties.append(try property.pair())
        case (.subscribe, .subscriptionIdentifier):
            subscribe.identifier = try property.number(from: 1, to: 268_435_455)
        case (.subscribe, _): subscribe.userProperties.append(try property.pair())
        case (.unsubscribe, _): unsubscribe.append(try property.pair())
        case (.disconnect, .sessionExpiry): disconnect.sessionExpiry = try property.number()
        case (.disconnect, _): disconnect.userProperties.append(try property.pair())
        case (.will, .willDelay): willDelay = try property.number()
        case (.will, _): try property.apply(to: &will)
        case (.publish, _): try property.apply(to: &publish)
        }
    }
}

extension ToolProperty {
    fileprivate func apply(to properties: inout MQTTMessageProperties) throws(UsageError) {
        switch name {
        case .payloadFormat: properties.payloadFormat = try number(to: 1) == UInt8(1) ? .text : .bytes
        case .messageExpiry: properties.expiry = .seconds(Int64(try number() as UInt32))
        case .contentType: properties.contentType = try text(value)
        case .responseTopic:
            let topic = try text(value)
            guard !topic.isEmpty, !topic.contains("#"), !topic.contains("+") else {
                throw UsageError("response-topic must be a topic without wildcards, and not empty")
            }
            properties.responseTopic = topic
        case .correlationData:
            guard value.utf8.count <= Int(UInt16.max) else {
                throw UsageError("correlation-data is longer than 65535 bytes, which MQTT allows")
            }
            properties.correlationData = ByteBuffer(string: value)
        case .userProperty: properties.userProperties.append(try pair())
        // `commands` keeps these from the packets with messages.
        case .subscriptionIdentifier, .sessionExpiry, .willDelay, .receiveMaximum, .maximumPacketSize: break
        }
    }

    fileprivate func pair() throws(UsageError) -> MQTTUserProperty {
        MQTTUserProperty(try text(key), try text(value))
    }

    private func text(_ text: String) throws(UsageError) -> String {
        guard text.utf8.count <= Int(UInt16.max) else {
            throw UsageError("\(name.rawValue) is longer than 65535 bytes, the longest text in MQTT")
        }
        return text
    }

    fileprivate func number<Number: FixedWidthInteger>(
        from minimum: Number = 0, to maximum: Number = .max
    ) throws(UsageError) -> Number {
        guard let number = Number(value), (minimum...maximum).contains(number) else {
            throw UsageError("\(name.rawValue): \"\(value)\" is not a number from \(minimum) to \(maximum)")
        }
        return number
    }
}
