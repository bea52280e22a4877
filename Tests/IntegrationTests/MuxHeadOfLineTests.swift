import Foundation
import Testing

/// A device that reads slowly, sends a big message or disconnects does not delay the others on its connection.
///
/// Times are compared with those that the same machine had a moment before, and the best of a few attempts counts, so
/// that other work of the machine does not fail a test.
@Suite(.mapping(.mux), .timeLimit(.minutes(20)))
struct MuxHeadOfLineTests {
    /// The highest acceptable ratio of the medians. Waiting for 5 MB, or for credit that never comes, would be hundreds
    /// of times slower.
    private static let mostSlower = 3.0
    private static let samples = 400
    private static let size = 5_000_000

    private static var options: Scenario.Options {
        var options = Scenario.Options.onOneLoop()
        options.alone = true
        return options
    }

    /// Compares round trips with and without the work of `body`, for as long as that runs.
    private func expectUndisturbed(
        _ what: String, _ load: LoadClient, while body: @Sendable () async throws -> Void
    ) async throws {
        var worst: [String] = []
        for _ in 0..<3 {
            let before = try await load.roundTrips(samples: Self.samples)
            try await body()
            let during = try await load.roundTrips(samples: Self.samples)
            let ratios = [
                during.acknowledgement / before.acknowledgement, during.delivery / before.delivery,
            ]
            let figures = "\(what): \(before) alone, \(during) beside it"
            print("head of line: \(figures)")
            if ratios.allSatisfy({ $0 < Self.mostSlower }) { return }
            worst.append(figures)
        }
        Issue.record("others are delayed: \(worst)")
    }

    private func connect(_ load: LoadClient, _ scenario: Scenario) async throws {
        try await load.connect(10, port: scenario.bridge.port, ["subscribe": true])
        // The first packets are not representative.
        _ = try await load.roundTrips(samples: 50)
    }

    @Test func aSlowReader() async throws {
        try await Scenario.run(Self.options) { scenario in
            let load = try await scenario.load()
            try await connect(load, scenario)
            let observer = try await scenario.observer()
            let slow = try await RawDevice.connect(port: scenario.bridge.port, receiveBuffer: 4096)
            #expect(try await slow.connect("slow", keepAlive: 0) == 0)
            try await slow.send(RawMQTT.subscribe("flood"))
            #expect(try await slow.packet().first == 0x90)
            try await expectUndisturbed("5 MB wait for a slow reader", load) {
                try await slow.read(false)
                try await observer.publish("flood", .size(Self.size), qos: 1)
            }
            try await scenario.serve.expectConnections(1)
            // The slow device gets everything in the end.
            try await slow.read(true)
            let packet = try await slow.packet()
            #expect(packet.first == 0x30 && packet.body.count == Self.size + 7)
            await slow.close()
        }
    }

    /// A device stops sending in the middle of a message.
    @Test func aBigMessageThatIsNotFinished() async throws {
        try await Scenario.run(Self.options) { scenario in
            let load = try await scenario.load()
            try await connect(load, scenario)
            let observer = try await scenario.observer("big")
            let uploader = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await uploader.connect("uploader", keepAlive: 0) == 0)
            let message = RawMQTT.publish("big", [UInt8](repeating: 1, count: Self.size))
            try await expectUndisturbed("half of 5 MB of an upload", load) {
                try await uploader.send(Array(message.prefix(Self.size / 2)))
                try await uploader.send(Array(message.dropFirst(Self.size / 2)))
                #expect(try await observer.message().size == Self.size)
                try await uploader.send(Array(message.prefix(Self.size / 2)))
            }
            await uploader.close()
            try await scenario.serve.expectConnections(1)
        }
    }

    /// During uploads without a pause, other devices wait for their share of the machine, but not for the end of a
    /// message.
    @Test func uploadsWithoutPause() async throws {
        try await Scenario.run(Self.options) { scenario in
            let load = try await scenario.load()
            try await connect(load, scenario)
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("uploader", keepAlive: 0) == 0)
            let message = RawMQTT.publish("big", [UInt8](repeating: 1, count: Self.size), packetID: 1)
            let (before, during, upload) = try await beside(load) {
                try await device.send(message)
                #expect(try await device.packet().first == 0x40)
            }
            print("head of line: uploads of 5 MB, \(Int(upload)) us each: \(before) alone, \(during) beside them")
            #expect(during.acknowledgement < upload / 3 && during.delivery < upload / 3)
            try await scenario.serve.expectConnections(1)
            await device.close()
        }
    }

    /// Devices vanish in the middle of a 5 MB message, one after another.
    @Test func uploadsThatAreBrokenOff() async throws {
        try await Scenario.run(Self.options) { scenario in
            let load = try await scenario.load()
            try await connect(load, scenario)
            let half = Array(RawMQTT.publish("big", [UInt8](repeating: 1, count: Self.size)).prefix(Self.size / 2))
            let (before, during, upload) = try await beside(load) {
                let device = try await RawDevice.connect(port: scenario.bridge.port)
                #expect(try await device.connect("leaver", keepAlive: 0) == 0)
                try await device.send(half)
                await device.close()
            }
            print("head of line: uploads broken off, \(Int(upload)) us each: \(before) alone, \(during) beside them")
            #expect(during.acknowledgement < 30 * before.acknowledgement)
            #expect(during.delivery < 30 * before.delivery)
            try await scenario.serve.expectConnections(1)
        }
    }

    /// Measures round trips alone, and while `work` is repeated. Also returns how long `work` took each time, in
    /// microseconds.
    private func beside(
        _ load: LoadClient, _ work: @escaping @Sendable () async throws -> Void
    ) async throws -> (before: RoundTrips, during: RoundTrips, work: Double) {
        let before = try await load.roundTrips(samples: Self.samples)
        let repeated = Task {
            let start = ContinuousClock.now
            var count = 0
            while !Task.isCancelled || count == 0 {
                try await work()
                count += 1
            }
            return (ContinuousClock.now - start) / count / .microseconds(1)
        }
        let during = try await load.roundTrips(samples: Self.samples)
        repeated.cancel()
        return (before, during, try await repeated.value)
    }
}
