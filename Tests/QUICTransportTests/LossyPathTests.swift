import NIOCore
import QUICSimulation
import TestSupport
import Testing

@testable import QUICTransport

/// How long messages take on a path with a round trip of 50 ms that loses datagrams in both directions, with the
/// defaults. A message that is lost once takes 75 ms and the time until the loss is noticed.
@Suite struct LossyPathTests {
    private static func configuration(_ change: (inout QUICConfiguration) -> Void = { _ in }) -> QUICConfiguration {
        .test {
            $0.idleTimeout = .seconds(120)
            $0.maxBidiStreams = 1_000
            $0.initialMaxData = 16_000_000
            $0.initialMaxStreamData = 1_000_000
            change(&$0)
        }
    }

    /// Sends messages of 200 bytes in turn on the streams, each of which is answered by 4 bytes at once, as a broker does
    /// for QoS 1. Returns how long they took to the server, sorted.
    private static func latencies(
        _ configuration: QUICConfiguration, loss: Double, streams: Int, every interval: TimeAmount, count: Int,
        seed: UInt64
    ) throws -> [TimeAmount] {
        let simulation = try Simulation.connected(client: configuration, server: configuration, seed: seed)
        simulation.toServer.delay = .milliseconds(25)
        simulation.toClient.delay = .milliseconds(25)
        var sentAt: [QUICStreamID: CircularBuffer<NIODeadline>] = [:]
        var incomplete: [QUICStreamID: Int] = [:]
        var latencies: [TimeAmount] = []
        simulation.onClientEvent = { [unowned simulation] event in
            if case .streamData(let id, let bytes, _) = event {
                simulation.client.consumed(id, bytes: bytes.readableBytes)
            }
        }
        simulation.onServerEvent = { [unowned simulation] event in
            guard case .streamData(let id, let bytes, _) = event else { return }
            simulation.server?.consumed(id, bytes: bytes.readableBytes)
            incomplete[id, default: 0] += bytes.readableBytes
            while incomplete[id, default: 0] >= 200, let time = sentAt[id]?.popFirst() {
                incomplete[id, default: 0] -= 200
                latencies.append(simulation.now - time)
                simulation.server?.write(id, ByteBuffer(repeating: 1, count: 4), fin: false)
            }
        }
        let ids = try (0..<streams).map { _ in try #require(try simulation.client.openStream()) }
        // The variance of the round trip is overestimated at the beginning (RFC 9002 5.3).
        let warmUp = 20 * streams
        for number in 0..<(warmUp + count) {
            if number == warmUp {
                simulation.run(for: .seconds(1))
                simulation.toServer.loss = loss
                simulation.toClient.loss = loss
                latencies = []
            }
            let id = ids[number % streams]
            sentAt[id, default: []].append(simulation.now)
            simulation.client.write(id, pattern(200, seed: UInt64(number)), fin: false)
            simulation.run(for: interval)
        }
        simulation.run(for: .seconds(10)) { latencies.count == count }
        #expect(latencies.count == count)
        return latencies.sorted()
    }

    private static func describe(_ latencies: [TimeAmount]) -> String {
        [50, 95, 99].map { "p\($0) \(Double(latencies[latencies.count * $0 / 100].nanoseconds) / 1e6)" }
            .joined(separator: " ") + " max \(Double((latencies.last ?? .zero).nanoseconds) / 1e6)"
    }

    /// Nothing follows the message, so only the probe timeout can notice that it was lost.
    @Test(arguments: 1...3)
    func aMessageNowAndThen(seed: UInt64) throws {
        let latencies = try Self.latencies(
            Self.configuration(), loss: 0.05, streams: 1, every: .seconds(1), count: 1_000, seed: seed)
        #expect(latencies[500] == .milliseconds(25))
        #expect(latencies[990] <= .milliseconds(85), "\(Self.describe(latencies))")
    }

    @Test(arguments: 1...3)
    func aDeviceThatSendsSteadily(seed: UInt64) throws {
        let latencies = try Self.latencies(
            Self.configuration(), loss: 0.05, streams: 1, every: .milliseconds(10), count: 5_000, seed: seed)
        #expect(latencies[2_500] == .milliseconds(25))
        #expect(latencies[4_950] <= .milliseconds(95), "\(Self.describe(latencies))")
    }

    /// Devices that share a connection and its congestion window. From 1.0 on, ngtcp2's BBR takes a loss of more than 2 %
    /// for congestion, and only a connection that needs little more than the smallest window is sure to keep its pace.
    @Test(arguments: [(10, 0.05), (500, 0.05), (10, 0.01)])
    func manyDevices(streams: Int, loss: Double) throws {
        let latencies = try Self.latencies(
            Self.configuration(), loss: loss, streams: streams, every: .milliseconds(Simulation.isVersion0 ? 1 : 4),
            count: 20_000, seed: 1)
        #expect(latencies[10_000] <= .milliseconds(26))
        #expect(latencies[19_800] <= .milliseconds(loss < 0.02 ? 85 : 90), "\(Self.describe(latencies))")
    }

    /// A sender that has had little to send for long does not mistake that for all that the path carries.
    @Test(arguments: [QUICConfiguration.CongestionControl.cubic, .bbr])
    func aLargeMessageAfterSmallOnes(control: QUICConfiguration.CongestionControl) throws {
        let configuration = Self.configuration {
            $0.congestionControl = control
            $0.initialMaxStreamData = 4_000_000
        }
        let simulation = try Simulation.connected(client: configuration, server: configuration)
        simulation.toServer.delay = .milliseconds(25)
        simulation.toClient.delay = .milliseconds(25)
        let exchange = Exchange(simulation)
        let id = try #require(try simulation.client.openStream())
        for _ in 0..<600 {
            simulation.client.write(id, pattern(200, seed: 1), fin: false)
            simulation.run(for: .milliseconds(100))
        }
        let start = simulation.now
        simulation.client.write(id, ByteBuffer(repeating: 7, count: 1_000_000), fin: true)
        simulation.flush()
        #expect(simulation.run(for: .seconds(30)) { exchange.atServer[id]?.isFinished == true })
        // The window begins at 13 KB or so, and doubles with each round trip.
        #expect(simulation.now - start < .milliseconds(700), "\((simulation.now - start).nanoseconds / 1_000_000) ms")
    }
}
