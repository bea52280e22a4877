import Testing

/// A device that subscribes to thousands of topics in one packet, which is longer than any buffer of a session.
@Suite(.mapping(.connection, .mux), .timeLimit(.minutes(20)))
struct LongRequestTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let level: UInt8
        let filters: Int
        var routed = false
        var testDescription: String { "level \(level), \(filters) filters\(routed ? ", routed" : "")" }
    }

    private static let filterLength = 97

    /// A filter that takes 100 bytes of a SUBSCRIBE.
    private static func filter(_ index: Int) -> String {
        let start = "long/\(index)/"
        return start + String(repeating: "x", count: filterLength - start.utf8.count)
    }

    private static func request(_ first: UInt8, _ row: Row) -> [UInt8] {
        let filters = (0..<row.filters).flatMap { RawMQTT.string(filter($0)) + (first == 0x82 ? [0] : []) }
        return RawMQTT.packet(first, [0, 7] + (row.level == 5 ? [0] : []) + filters)
    }

    @Test(arguments: [
        Row(level: 4, filters: 3_000), Row(level: 5, filters: 3_000), Row(level: 4, filters: 10_000),
        Row(level: 5, filters: 10_000), Row(level: 5, filters: 3_000, routed: true),
    ])
    func thousandsOfFiltersAreAnswered(row: Row) async throws {
        var options = Scenario.Options()
        options.farEnd = .serve
        if row.routed { options.configuration = "routes: [{local: \"long/#\", remote: \"remote/${clientid}/#\"}]" }
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer()
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("gateway", level: row.level) == 0)
            let properties: [UInt8] = row.level == 5 ? [0] : []
            // The second one finds that the first has given its memory back.
            for _ in 0..<2 {
                try await device.send(Self.request(0x82, row))
                let answer = try await device.packet()
                #expect(answer.first == 0x90)
                #expect(answer.body == [0, 7] + properties + [UInt8](repeating: 0, count: row.filters))
            }
            let last = Self.filter(row.filters - 1)
            let remote = row.routed ? "remote/gateway" + last.dropFirst("long".utf8.count) : last
            try await observer.publish(remote, "heard", qos: 0)
            let message = try await device.packet()
            #expect(message.body == RawMQTT.string(last) + properties + Array("heard".utf8))
            try await device.send(Self.request(0xA2, row))
            let end = try await device.packet()
            #expect(end.first == 0xB0)
            let codes = row.level == 5 ? [0] + [UInt8](repeating: 0, count: row.filters) : []
            #expect(end.body == [0, 7] + codes)
            await device.close()
        }
    }

    @Test func anAnswerThatIsLongerThanTheBufferPassesDown() async throws {
        var options = Scenario.Options()
        options.farEnd = .serve
        try await Scenario.run(options) { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("gateway") == 0)
            let count = 300_000
            let filters = Array([[UInt8]](repeating: RawMQTT.string("a") + [0], count: count).joined())
            try await device.send(RawMQTT.packet(0x82, [0, 7] + filters))
            let answer = try await device.packet()
            #expect(answer.first == 0x90)
            #expect(answer.body == [0, 7] + [UInt8](repeating: 0, count: count))
            try await device.send(RawMQTT.pingreq)
            #expect(try await device.packet().first == 0xD0)
            await device.close()
        }
    }

    /// Packets that nobody finishes use up the room of all devices, until their senders are gone.
    @Test func devicesThatLeaveInTheMiddleGiveTheirRoomBack() async throws {
        let filter = RawMQTT.string(String(repeating: "x", count: 65_000)) + [0]
        let count = 150
        let request = RawMQTT.packet(0x82, [0, 7] + Array([[UInt8]](repeating: filter, count: count).joined()))
        var options = Scenario.Options()
        options.farEnd = .serve
        try await Scenario.run(options) { scenario in
            var unfinished: [RawDevice] = []
            while await scenario.bridgeSaid("other long packets take all the memory") == 0, unfinished.count < 20 {
                let device = try await RawDevice.connect(port: scenario.bridge.port)
                #expect(try await device.connect("unfinished-\(unfinished.count)") == 0)
                // The bridge may close the connection before the last byte is written.
                try? await device.send(Array(request.dropLast()))
                unfinished.append(device)
            }
            // Seven of them fit into 64 MiB. The log may be a little late.
            #expect((8..<20).contains(unfinished.count))
            for (index, device) in unfinished.enumerated() {
                await device.close()
                _ = try await scenario.broker.process.errors.first("the end of device \(index) in Mosquitto's log") {
                    $0.contains("lient unfinished-\(index)") && ($0.contains("disconnect") || $0.contains("closed"))
                }
            }
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("gateway") == 0)
            try await device.send(request)
            let answer = try await device.packet()
            #expect(answer.first == 0x90)
            #expect(answer.body == [0, 7] + [UInt8](repeating: 0, count: count))
            await device.close()
        }
    }

    /// A stranger may not make the bridge keep as much.
    @Test func aLongConnectIsStillRefused() async throws {
        var options = Scenario.Options()
        options.farEnd = .serve
        try await Scenario.run(options) { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send([0x10] + RawMQTT.length(300_000))
            _ = try await device.closed()
            try await scenario.bridgeSays("CONNECT: the packet is 300004 bytes long, and the limit is 262144")
        }
    }
}
