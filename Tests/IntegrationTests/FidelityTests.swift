import Testing

/// Odd packets are sent directly to the broker and through the bridge, and devices must see the same. The tests expect
/// nothing particular of the broker, which is right by definition.
@Suite(.timeLimit(.minutes(20)), .mapping(.connection, .mux))
struct FidelityTests {
    struct Row: Sendable {
        let name: String
        let bytes: [UInt8]
        var levels: [UInt8] = [3, 4, 5]
        /// How many answers to PINGREQ are awaited, including the one after the packet; 0 if the session ends with the
        /// packet.
        var pongs = 1
    }

    /// What a device saw.
    struct Transcript: Equatable, CustomStringConvertible {
        var packets: [[UInt8]] = []
        var isClosed = false

        var description: String { "\(packets)\(isClosed ? ", closed" : "")" }
    }

    private static let connected: [Row] = [
        Row(name: "PINGREQ with flags", bytes: [0xC1, 0], pongs: 2),
        Row(name: "PINGREQ with a body", bytes: [0xC0, 1, 0], pongs: 2),
        Row(name: "CONNACK", bytes: [0x20, 2, 0, 0]), Row(name: "SUBACK", bytes: [0x90, 3, 0, 1, 0]),
        Row(name: "UNSUBACK", bytes: [0xB0, 2, 0, 1]), Row(name: "PINGRESP", bytes: [0xD0, 0]),
        Row(name: "PUBACK with flags", bytes: [0x42, 2, 0, 1]), Row(name: "PUBREC with flags", bytes: [0x51, 2, 0, 1]),
        Row(name: "PUBREL without flags", bytes: [0x60, 2, 0, 1]),
        Row(name: "PUBCOMP with flags", bytes: [0x73, 2, 0, 1]), Row(name: "PUBACK 0", bytes: [0x40, 2, 0, 0]),
        Row(name: "PUBREL that is long", bytes: [0x62, 9, 0, 1, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67]),
        Row(name: "SUBSCRIBE of nothing", bytes: [0x82, 0]), Row(name: "SUBSCRIBE, no filter", bytes: [0x82, 2, 0, 1]),
        Row(name: "SUBSCRIBE with other flags", bytes: [0x80, 6, 0, 1, 0, 1, 0x61, 0], levels: [3, 4]),
        Row(name: "SUBSCRIBE 0", bytes: [0x82, 6, 0, 0, 0, 1, 0x61, 0], levels: [3, 4]),
        Row(name: "SUBSCRIBE with reserved bits", bytes: [0x82, 6, 0, 1, 0, 1, 0x61, 0xFD], levels: [3, 4]),
        Row(name: "SUBSCRIBE for QoS 3", bytes: [0x82, 6, 0, 1, 0, 1, 0x61, 3], levels: [3, 4]),
        Row(name: "UNSUBSCRIBE, no filter", bytes: [0xA2, 2, 0, 1]),
        Row(name: "UNSUBSCRIBE with other flags", bytes: [0xA0, 5, 0, 1, 0, 1, 0x61], levels: [3, 4]),
        Row(name: "PUBLISH with DUP at QoS 0", bytes: [0x38, 4, 0, 1, 0x61, 0x78], levels: [3, 4]),
        Row(name: "PUBLISH of QoS 3", bytes: [0x36, 6, 0, 1, 0x61, 0, 1, 0]),
        Row(name: "PUBLISH 0", bytes: [0x32, 6, 0, 1, 0x61, 0, 0, 0]),
        Row(name: "PUBLISH to a wildcard", bytes: [0x30, 4, 0, 1, 0x23, 0]),
        Row(name: "PUBLISH to what is no UTF-8", bytes: [0x30, 4, 0, 1, 0xFF, 0]),
        Row(name: "PUBLISH with a topic that is cut off", bytes: [0x30, 4, 0, 9, 0x61, 0x62]),
        Row(name: "PUBLISH of nothing", bytes: [0x30, 0]), Row(name: "AUTH", bytes: [0xF0, 2, 0x18, 0]),
        Row(name: "long PUBLISH with DUP at QoS 0", bytes: long([0x38], topic: [0x61])),
        Row(name: "long PUBLISH to a wildcard", bytes: long([0x30], topic: [0x23])),
        Row(name: "Payload Format Indicator 2", bytes: [0x32, 8, 0, 1, 0x61, 0, 7, 2, 1, 2], levels: [5]),
        Row(name: "a property twice", bytes: [0x32, 10, 0, 1, 0x61, 0, 7, 4, 1, 0, 1, 0], levels: [5]),
        Row(name: "a wildcard to answer to", bytes: [0x32, 10, 0, 1, 0x61, 0, 7, 4, 8, 0, 1, 0x23], levels: [5]),
        Row(name: "topic alias 0", bytes: [0x30, 7, 0, 1, 0x61, 3, 0x23, 0, 0], levels: [5]),
        Row(name: "topic alias 5000", bytes: [0x30, 7, 0, 1, 0x61, 3, 0x23, 0x13, 0x88], levels: [5]),
        Row(name: "topic alias that was never set", bytes: [0x30, 6, 0, 0, 3, 0x23, 0, 5], levels: [5]),
        Row(name: "No Local, shared", bytes: [0x82, 16, 0, 1, 0] + RawMQTT.string("$share/g/a") + [4], levels: [5]),
        Row(
            name: "a share without a filter", bytes: [0x82, 14, 0, 1, 0] + RawMQTT.string("$share/g") + [0], levels: [5]
        ),
        Row(name: "Retain Handling 3", bytes: [0x82, 7, 0, 1, 0, 0, 1, 0x61, 0x30], levels: [5]),
        Row(name: "session expiry in DISCONNECT", bytes: [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 9], levels: [5], pongs: 0),
        Row(name: "DISCONNECT with an unknown code", bytes: [0xE0, 1, 1], levels: [5], pongs: 0),
        Row(name: "DISCONNECT with flags", bytes: [0xE1, 0], levels: [4, 5], pongs: 0),
        Row(name: "DISCONNECT with a body", bytes: [0xE0, 4, 0x61, 0x62, 0x63, 0x64], pongs: 0),
        Row(name: "CONNECT again", bytes: RawMQTT.connect("again")),
    ]

    private static func long(_ first: [UInt8], topic: [UInt8]) -> [UInt8] {
        let body = [0, UInt8(topic.count)] + topic + [UInt8](repeating: 0, count: 100_000)
        return first + RawMQTT.length(body.count) + body
    }

    /// Sends each packet directly to the broker and through the bridge, in turn. Another client of the broker shows
    /// when it has seen the packet.
    @Test(arguments: [3, 4, 5] as [UInt8])
    func whatAConnectedDeviceSees(level: UInt8) async throws {
        try await Scenario.run { scenario in
            let barrier = try await RawDevice.connect(port: scenario.broker.port)
            #expect(try await barrier.connect("barrier") == 0)
            for row in Self.connected where row.levels.contains(level) {
                let direct = try await Self.play(row, level, "direct", port: scenario.broker.port, barrier)
                let through = try await Self.play(row, level, "through", port: scenario.bridge.port, nil)
                #expect(through == direct, "\(row.name)")
            }
        }
    }

    private static func play(
        _ row: Row, _ level: UInt8, _ name: String, port: Int, _ barrier: RawDevice?
    ) async throws -> Transcript {
        let device = try await RawDevice.connect(port: port)
        #expect(try await device.connect(name, level: level) == 0)
        try await device.send(row.bytes)
        if let barrier {
            // If the broker closed with unread bytes, the TCP reset would discard its last packet, so nothing more is
            // sent until it has seen this one.
            for _ in 0..<2 {
                try await barrier.send(RawMQTT.pingreq)
                _ = try await barrier.packet()
            }
        }
        // This fails if the broker has already closed the connection.
        if row.pongs > 0 { try? await device.send(RawMQTT.pingreq) }
        return try await transcript(of: device, row)
    }

    /// The packets up to the answer to the last PINGREQ, or to the end of the connection.
    private static func transcript(of device: RawDevice, _ row: Row) async throws -> Transcript {
        var transcript = Transcript()
        var left = row.pongs
        while left > 0 || row.pongs == 0 {
            guard let packet = try await device.packetOrEnd() else {
                transcript.isClosed = true
                break
            }
            if packet.first == 0xD0 { left -= 1 }
            // Only the code is compared, because the bridge's own DISCONNECT also has a Reason String.
            transcript.packets.append(
                [packet.first] + (packet.first == 0xE0 ? Array(packet.body.prefix(1)) : packet.body))
        }
        await device.close()
        return transcript
    }

    private static let connects: [Row] = [
        Row(name: "flags in the fixed header", bytes: [0x11] + RawMQTT.connect("odd").dropFirst()),
        Row(name: "the reserved flag", bytes: connect(4, 3, RawMQTT.string("odd"))),
        Row(name: "a will's QoS alone", bytes: connect(4, 0x0A, RawMQTT.string("odd"))),
        Row(name: "a will's RETAIN alone", bytes: connect(4, 0x22, RawMQTT.string("odd"))),
        Row(name: "a password alone", bytes: connect(4, 0x42, RawMQTT.string("odd") + RawMQTT.string("p"))),
        Row(name: "bytes behind it", bytes: connect(4, 2, RawMQTT.string("odd") + [0, 0])),
        Row(name: "a will to a wildcard", bytes: connect(4, 6, RawMQTT.string("odd") + RawMQTT.string("#") + [0, 0])),
        Row(name: "a will of QoS 3", bytes: connect(4, 0x1E, RawMQTT.string("odd") + RawMQTT.string("w") + [0, 0])),
        Row(name: "a client id that is no UTF-8", bytes: connect(4, 2, [0, 1, 0xFF])),
        Row(name: "no client id", bytes: connect(4, 2, [])), Row(name: "nothing", bytes: [0x10, 0]),
        Row(name: "level 6", bytes: connect(6, 2, RawMQTT.string("odd"))),
        Row(name: "another protocol", bytes: RawMQTT.packet(0x10, RawMQTT.string("AMQP") + [4, 2, 0, 60, 0, 0])),
        Row(name: "Authentication Data alone", bytes: connect(5, 2, [4, 0x16, 0, 1, 0x78] + RawMQTT.string("odd"))),
        Row(name: "Receive Maximum twice", bytes: connect(5, 2, [6, 0x21, 0, 1, 0x21, 0, 2] + RawMQTT.string("odd"))),
        Row(name: "an unknown property", bytes: connect(5, 2, [2, 0x7E, 1] + RawMQTT.string("odd"))),
        Row(name: "properties past its end", bytes: connect(5, 2, [0x7F] + RawMQTT.string("odd"))),
    ]

    private static func connect(_ level: UInt8, _ flags: UInt8, _ rest: [UInt8]) -> [UInt8] {
        RawMQTT.packet(0x10, RawMQTT.string("MQTT") + [level, flags, 0, 60] + rest)
    }

    @Test func whatAConnectingDeviceSees() async throws {
        try await Scenario.run { scenario in
            for row in Self.connects {
                let direct = try await Self.answer(to: row, port: scenario.broker.port)
                let through = try await Self.answer(to: row, port: scenario.bridge.port)
                // A 5.0 CONNACK also contains the bridge's own limit.
                #expect(through?.prefix(4) == direct?.prefix(4), "\(row.name)")
            }
        }
    }

    /// The type, flags and code of the answer; `nil` if the connection ends.
    private static func answer(to row: Row, port: Int) async throws -> [UInt8]? {
        let device = try await RawDevice.connect(port: port)
        try await device.send(row.bytes)
        let packet = try await device.packetOrEnd()
        await device.close()
        return packet.map { [$0.first] + $0.body }?.prefix(3).map { $0 }
    }
}

extension RawDevice {
    /// The next packet; `nil` if the other side has closed the connection.
    fileprivate func packetOrEnd() async throws -> (first: UInt8, body: [UInt8])? {
        do {
            return try await packet()
        } catch {
            guard await isClosed else { throw error }
            return nil
        }
    }
}
