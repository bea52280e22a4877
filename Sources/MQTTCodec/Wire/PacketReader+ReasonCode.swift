extension PacketReader {
    /// One reason code, which must be one that the specification lists for this packet.
    mutating func reasonCode() throws(MQTTError) -> UInt8 {
        let code = try uint8("reason code")
        if !isLenient { try check(code) }
        return code
    }

    /// The reason code and properties at the end of a packet that may lack them. Without a reason code it is 0; without
    /// a property length there are no properties (MQTT 5 3.4.2.1, 3.14.2.1). Older versions have neither.
    mutating func omissibleReason() throws(MQTTError) -> (code: UInt8, properties: Properties) {
        guard version.hasProperties, !isAtEnd else { return (0, []) }
        let code = try reasonCode()
        return (code, isAtEnd ? [] : try properties())
    }

    /// All reason codes up to the packet's end.
    /// - Parameter clause: The rule that there is at least one.
    mutating func reasonCodes(_ clause: Clause) throws(MQTTError) -> [UInt8] {
        let codes = [UInt8](buffer: rest())
        guard !isLenient else { return codes }
        guard !codes.isEmpty else { throw protocolError(clause, "no reason code") }
        for code in codes { try check(code) }
        return codes
    }

    private func check(_ code: UInt8) throws(MQTTError) {
        guard isListed(code) else {
            throw malformed(.reasonCode(of: type), "reason code \(hexadecimal(code)) is not one of those allowed")
        }
    }

    private func isListed(_ code: UInt8) -> Bool {
        switch type {
        case .puback, .pubrec: Self.ofPublish.contains(code)
        case .pubrel, .pubcomp: code == 0x00 || code == 0x92
        case .suback where version.hasProperties: Self.ofSubscribe.contains(code)
        // 0x80 exists since 3.1.1, and brokers send it to clients that speak 3.1 as well.
        case .suback: code <= 2 || code == 0x80
        case .unsuback: Self.ofUnsubscribe.contains(code)
        // The connection ends whatever the code is, so an error that is not listed is passed on.
        case .disconnect: code == 0x00 || code == 0x04 || code >= 0x80
        case .auth: code == 0x00 || code == 0x18 || code == 0x19
        case .connect, .connack, .publish, .subscribe, .unsubscribe, .pingreq, .pingresp: false
        }
    }

    private static let ofPublish: [UInt8] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
    private static let ofSubscribe: [UInt8] = [
        0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2,
    ]
    private static let ofUnsubscribe: [UInt8] = [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]
}
