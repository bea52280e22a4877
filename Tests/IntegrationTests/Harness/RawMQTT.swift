/// Packets for RawDevice. They are encoded here and not with the bridge's own codec, because sharing it would prove
/// less.
enum RawMQTT {
    static let pingreq: [UInt8] = [0xC0, 0x00]
    static let disconnect: [UInt8] = [0xE0, 0x00]

    /// - Parameters:
    ///   - level: 3 (MQTT 3.1), 4 (3.1.1) or 5.
    ///   - isClean: Clean Session or Clean Start.
    ///   - properties: The encoded properties without their length, for 5.0 only.
    static func connect(
        _ clientID: String, level: UInt8 = 4, keepAlive: UInt16 = 60, will: (topic: String, text: String)? = nil,
        isClean: Bool = true, properties: [UInt8] = []
    ) -> [UInt8] {
        let flags: UInt8 = (will == nil ? 0 : 0x04) | (isClean ? 0x02 : 0)
        var body = string(level == 3 ? "MQIsdp" : "MQTT")
        body += [level, flags, UInt8(keepAlive >> 8), UInt8(keepAlive & 0xFF)]
        body += level == 5 ? [UInt8(properties.count)] + properties : []
        body += string(clientID)
        if let will {
            body += (level == 5 ? [0] : []) + string(will.topic) + string(will.text)
        }
        return packet(0x10, body)
    }

    /// A PUBLISH with QoS 0, or with `qos` if there is a packet identifier. `properties` are encoded without their
    /// length, for 5.0 only.
    static func publish(
        _ topic: String, _ payload: [UInt8], packetID: UInt16? = nil, qos: UInt8 = 1, properties: [UInt8]? = nil
    ) -> [UInt8] {
        var body = string(topic)
        body += packetID.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []
        body += properties.map { [UInt8($0.count)] + $0 } ?? []
        return packet(packetID == nil ? 0x30 : 0x30 | qos << 1, body + payload)
    }

    static func subscribe(_ filter: String, packetID: UInt16 = 1, qos: UInt8 = 0, level: UInt8 = 4) -> [UInt8] {
        packet(
            0x82,
            [UInt8(packetID >> 8), UInt8(packetID & 0xFF)] + (level == 5 ? [0] : []) + string(filter) + [qos])
    }

    static func packet(_ first: UInt8, _ body: [UInt8]) -> [UInt8] {
        [first] + length(body.count) + body
    }

    static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
    }

    static func length(_ value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            let digit = UInt8(rest & 0x7F)
            rest >>= 7
            bytes.append(rest > 0 ? digit | 0x80 : digit)
        } while rest > 0
        return bytes
    }
}

extension RawDevice {
    /// Sends CONNECT and returns the return code or reason code of CONNACK.
    func connect(
        _ clientID: String, level: UInt8 = 4, keepAlive: UInt16 = 60, will: (topic: String, text: String)? = nil,
        properties: [UInt8] = []
    ) async throws -> UInt8 {
        try await send(
            RawMQTT.connect(clientID, level: level, keepAlive: keepAlive, will: will, properties: properties))
        return try await packet().body.dropFirst().first ?? 0xFF
    }

    /// Waits for the next whole packet, and returns its first byte and its body.
    func packet() async throws -> (first: UInt8, body: [UInt8]) {
        let first = try await receive(1)
        var length = 0
        var shift = 0
        var byte: UInt8
        repeat {
            byte = try await receive(1).first ?? 0
            length |= Int(byte & 0x7F) << shift
            shift += 7
        } while byte & 0x80 != 0 && shift < 28
        return (first.first ?? 0, length > 0 ? try await receive(length) : [])
    }
}
