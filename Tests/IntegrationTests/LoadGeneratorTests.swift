import BenchmarkLink
import BenchmarkLoad
import Foundation
import MQTTCodec
import Testing

/// The benchmarks' own load generator and link emulator, with a real broker and real packets.
@Suite(.mapping(.connection), .timeLimit(.minutes(5)))
struct LoadGeneratorTests {
    private static let brokerLines = ["max_inflight_messages 0", "max_queued_messages 0"]

    /// Runs a load of two seconds, without warm-up, directly against Mosquitto.
    private static func run(_ change: @Sendable (inout LoadOptions) -> Void) async throws -> LoadReport {
        let folder = try Folder()
        defer { folder.remove() }
        var broker = Broker.Options()
        broker.lines = brokerLines
        let mosquitto = try await Broker.start(in: folder, broker)
        let endpoint = LoadEndpoint(host: "127.0.0.1", port: mosquitto.port)
        var options = LoadOptions(deviceEndpoint: endpoint, receiverEndpoint: endpoint)
        (options.devices, options.seconds, options.warmUpSeconds, options.drainSeconds) = (20, 2, 0, 60)
        options.processes = [WatchedProcess(name: "broker", pid: mosquitto.process.identifier)]
        change(&options)
        let report: Result<LoadReport, any Error>
        do {
            report = .success(try await LoadGenerator.run(options))
        } catch {
            report = .failure(error)
        }
        await mosquitto.process.stop()
        return try report.get()
    }

    @Test(arguments: [QoS.atMostOnce, .atLeastOnce], [MQTTVersion.v3_1_1, .v5_0])
    func everyMessageOfASteadyLoadIsCountedOnce(_ qos: QoS, _ version: MQTTVersion) async throws {
        let report = try await Self.run {
            ($0.traffic, $0.qos, $0.version, $0.commandRate) = (.steady(rate: 10), qos, version, 20)
        }
        #expect((380...420).contains(report.offered))
        #expect(report.arrived + report.unsent == report.offered)
        #expect(report.lost == 0 && report.duplicates == 0 && report.unsent == 0 && report.reconnects == 0)
        #expect(report.connect.count == 20 && report.connectsRefused == 0)
        #expect(report.endToEnd.count == report.arrived)
        #expect(report.endToEnd.p50 > 0 && report.endToEnd.p50 <= report.endToEnd.p99)
        #expect(report.endToEnd.p99 <= report.endToEnd.max)
        #expect(report.acknowledged.count == (qos == .atLeastOnce ? report.offered : 0))
        #expect((35...41).contains(try #require(report.commands).count))
        let broker = try #require(report.processes.first)
        #expect(try #require(broker.cpuMicrosecondsPerMessage) > 0)
        #expect(try #require(broker.residentAfterKiB) > 0)
        #expect(try #require(broker.wakeupsPerMessage) > 0)
    }

    @Test(arguments: [QoS.atMostOnce, .atLeastOnce])
    func saturationKeepsEveryDeviceBusy(_ qos: QoS) async throws {
        let report = try await Self.run { ($0.traffic, $0.qos) = (.saturation(window: 20), qos) }
        // More than twice what 20 windows of 20 messages hold at once, so they have been filled again.
        #expect(report.offered > 800)
        #expect(report.lost == 0 && report.duplicates == 0)
        #expect(report.arrived + report.unsent == report.offered)
    }

    @Test func aFanOutReachesEveryDevice() async throws {
        let report = try await Self.run { ($0.traffic, $0.version) = (.fanOut(rate: 10), .v5_0) }
        #expect(report.offered % 20 == 0 && report.offered >= 380)
        #expect(report.arrived == report.offered && report.lost == 0)
        #expect(report.acknowledged.count == report.offered / 20)
    }

    /// They are neither kept nor parsed in one piece.
    @Test func largeMessagesArrive() async throws {
        let report = try await Self.run {
            ($0.devices, $0.traffic, $0.payloadLength) = (4, .steady(rate: 2), 1_000_000)
        }
        #expect(report.arrived == report.offered && report.offered >= 12)
        #expect(report.acknowledged.count == report.offered)
    }

    /// Longer than the broker waits for a silent device: 1.5 times the keepalive.
    @Test func idleDevicesStayConnected() async throws {
        let report = try await Self.run {
            ($0.traffic, $0.keepAlive, $0.connectRate, $0.seconds) = (.idle, 8, 0, 16)
        }
        #expect(report.connect.count == 20 && report.reconnects == 0 && report.offered == 0)
        #expect(report.processes.first?.cpuMicrosecondsPerMessage == nil)
    }

    @Test func aBrokerThatIsNotThereIsAnError() async throws {
        let endpoint = LoadEndpoint(host: "127.0.0.1", port: try Toolbox.freePort())
        let error = await #expect(throws: LoadError.self) {
            _ = try await LoadGenerator.run(LoadOptions(deviceEndpoint: endpoint, receiverEndpoint: endpoint))
        }
        #expect(error == .receiver("cannot reach the broker"))
    }

    /// Twenty devices at a broker behind a link of 20 ms. The NAT forgets their connections, which the broker then
    /// resets, so they have to connect again and to send again what was not acknowledged.
    @Test(.enabled(if: NetworkNamespace.possible, "network namespaces need root"))
    func devicesBehindALinkRecoverFromARebind() async throws {
        let link = try WANLink.up(commands: ["delay=20", "nat=all"])
        defer { link.down() }
        let folder = try Folder()
        defer { folder.remove() }
        let lines = ["listener 1883 \(link.cloud.address)", "allow_anonymous true", "log_dest stderr", "user root"]
        let file = try folder.write("mosquitto.conf", (lines + Self.brokerLines).joined(separator: "\n") + "\n")
        let broker = try await ChildProcess.start(
            "mosquitto", "ip", ["netns", "exec", link.cloud.name, "mosquitto", "-c", file])
        _ = try await broker.errors.first("Mosquitto to run") { $0.contains("running") }
        let endpoint = LoadEndpoint(host: link.cloud.address, port: 1883)
        var options = LoadOptions(deviceEndpoint: endpoint, receiverEndpoint: endpoint)
        (options.deviceNamespace, options.receiverNamespace) = (link.edge.name, link.cloud.name)
        (options.devices, options.traffic, options.isPersistent) = (20, .steady(rate: 10), true)
        (options.seconds, options.warmUpSeconds, options.drainSeconds, options.mark) = (6, 0, 60, 2)
        let report = try await LoadGenerator.run(options) {
            DispatchQueue.global().asyncAfter(deadline: .now() + 2) { _ = try? link.control(["rebind"]) }
        }
        await broker.stop()
        #expect(report.reconnects >= 20)
        #expect(report.lost == 0 && report.arrived == report.offered && report.resent > 0)
        #expect(report.notRecovered == 0)
        #expect(report.endToEnd.p50 >= 20 && report.connect.p50 >= 80)
        // Devices connect again after about a second. The rebind itself may come late, so the mark says little here.
        #expect(report.longestGapMilliseconds >= 500 && report.recovery != nil)
        let statistics = link.statistics
        #expect(statistics.rebinds == 1 && statistics.natMappings >= 40)
        #expect(statistics.uplink.packets > 1000 && statistics.uplink.droppedLoss == 0)
        link.down()
        #expect(!FileManager.default.fileExists(atPath: "/run/netns/\(link.edge.name)"))
        #expect(!FileManager.default.fileExists(atPath: link.controlPath))
    }
}
