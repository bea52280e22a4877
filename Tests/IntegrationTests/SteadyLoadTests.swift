import Foundation
import Testing

/// The cost of a message does not depend on how long the program has been running.
@Suite(.timeLimit(.minutes(20)))
struct SteadyLoadTests {
    /// A line of statistics in the bridge's log.
    private struct Figures {
        let firings: Int
        /// The number of MQTT bytes that the devices sent, which measures how many messages there were.
        let bytes: Int

        init(_ line: String) throws {
            func figure(_ name: String) throws -> Int {
                guard let value = line.split(separator: " ").first(where: { $0.hasPrefix(name + "=") }),
                    let number = Int(value.dropFirst(name.count + 1))
                else { throw HarnessError("no \(name) in: \(line)") }
                return number
            }
            firings = try figure("timer_firings")
            bytes = try figure("bytes_up")
        }
    }

    private static let devices = 10

    /// Compares how often timers fire per message in the first ten seconds of a minute and in the last. A delay of 25
    /// ms in each direction keeps acknowledgements, retransmissions and new messages in the same ticks of the event
    /// loop.
    @Test(.mapping(.connection, .mux)) func timersFireAsOftenPerMessageAtTheEndOfAMinuteAsAtItsBeginning() async throws
    {
        var options = Scenario.Options()
        options.relayed = true
        options.front.reportsPackets = false
        options.broker.lines = ["max_inflight_messages 0", "max_queued_messages 0"]
        try await Scenario.run(options) { scenario in
            try await scenario.relay.set { $0.delay = [.up: .milliseconds(25), .down: .milliseconds(25)] }
            let load = try await scenario.load()
            try await load.connect(Self.devices, port: scenario.bridge.port, ["version": "5.0", "subscribe": true])
            try await load.startTraffic(every: 20)
            // This is not a time limit, but how long the load lasts before the next measurement.
            let begin = try await figures(scenario)
            try await Task.sleep(for: .seconds(10))
            let first = try await figures(scenario)
            try await Task.sleep(for: .seconds(40))
            let middle = try await figures(scenario)
            try await Task.sleep(for: .seconds(10))
            let last = try await figures(scenario)
            let traffic = try await load.stopTraffic()
            #expect(traffic.missing == 0)
            #expect(await load.ended == 0)

            let atFirst = try firingsPerMessage(begin, first)
            let atLast = try firingsPerMessage(middle, last)
            print("timer firings per message: \(atFirst) at first, \(atLast) after a minute")
            // A busy machine does more per tick, and thus needs fewer timers. Timers that multiply have been seen to
            // fire 120 times per message.
            #expect(atLast < 2 * atFirst + 4)
            #expect(atLast < 16)
        }
    }

    private func figures(_ scenario: Scenario) async throws -> Figures {
        let known = await scenario.bridge.process.errors.count
        scenario.bridge.process.signal(SIGUSR2)
        return try Figures(
            await scenario.bridge.process.errors.first("statistics", from: known) { $0.contains("statistics") })
    }

    /// A load_client.py message and its acknowledgement have 40 to 60 bytes.
    private func firingsPerMessage(_ from: Figures, _ to: Figures) throws -> Double {
        let messages = Double(to.bytes - from.bytes) / 50
        guard messages > 100 else { throw HarnessError("only \(to.bytes - from.bytes) bytes were sent: no load") }
        return Double(to.firings - from.firings) / messages
    }
}
