import MQTTCodec
import Testing

@testable import BenchmarkLoad

struct LoadOptionsTests {
    private static let endpoint = LoadEndpoint(host: "127.0.0.1", port: 1883)

    private static func options(_ change: (inout LoadOptions) -> Void = { _ in }) -> LoadOptions {
        var options = LoadOptions(deviceEndpoint: endpoint, receiverEndpoint: endpoint)
        change(&options)
        return options
    }

    @Test func theDefaultsCanBeUsed() throws {
        try Self.options().check()
    }

    @Test func eachWrongOptionIsNamed() {
        let cases: [(String, (inout LoadOptions) -> Void)] = [
            ("devices: 0 is not within 1 to 100000", { $0.devices = 0 }),
            ("payload: 31 is not within 32", { $0.payloadLength = 31 }),
            ("qos: QoS 2", { $0.qos = .exactlyOnce }),
            ("seconds: 0.0", { $0.seconds = 0 }),
            ("seconds: nan", { $0.seconds = .nan }),
            ("warm-up: 20.0 s", { $0.warmUpSeconds = 20 }),
            ("drain: -1.0", { $0.drainSeconds = -1 }),
            ("connect-rate: -1.0", { $0.connectRate = -1 }),
            ("rate: 0.0", { $0.traffic = .steady(rate: 0) }),
            ("saturate: 0", { $0.traffic = .saturation(window: 0) }),
            ("fan-out: -1.0", { $0.traffic = .fanOut(rate: -1) }),
            ("commands: they cannot be combined with idle", { ($0.traffic, $0.commandRate) = (.idle, 1) }),
            ("not-before: -1.0 is not within", { $0.notBefore = -1 }),
            ("mark: 20.0 s is not within", { $0.mark = 20 }),
            ("mark: it needs devices that publish", { ($0.traffic, $0.mark) = (.idle, 1) }),
            ("topic: 'a/b'", { $0.topic = "a/b" }),
            ("topic: ''", { $0.topic = "" }),
            ("password: it needs a username", { $0.password = "secret" }),
            ("process: 17", { $0.processes = Array(repeating: WatchedProcess(name: "a", pid: 1), count: 17) }),
        ]
        for (message, change) in cases {
            let error = #expect(throws: LoadError.self) { try Self.options(change).check() }
            #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "no error") for \(message)")
        }
    }

    @Test func endpointsAreReadFromText() {
        #expect(LoadEndpoint("10.77.2.1:1883") == LoadEndpoint(host: "10.77.2.1", port: 1883))
        for text in ["", "10.77.2.1", ":1883", "10.77.2.1:", "10.77.2.1:0", "10.77.2.1:65536", "10.77.2.1:x"] {
            #expect(LoadEndpoint(text) == nil, "\(text)")
        }
    }

    @Test func packetsCanBeEncodedForEveryDevice() throws {
        for traffic in [LoadOptions.Traffic.steady(rate: 1), .fanOut(rate: 1), .idle] {
            for version in [MQTTVersion.v3_1_1, .v5_0] {
                let options = Self.options { ($0.traffic, $0.version, $0.isPersistent) = (traffic, version, true) }
                let topics = try LoadTopics(options)
                let connect = try Connect.decode(Frame(packet: topics.connect(forDevice: 9), version: nil))
                #expect(connect.clientID == "load-9" && !connect.cleanStart && connect.version == version)
                #expect(connect.keepAlive == 60)
                // The receiver sends no pings.
                let receiver = try Connect.decode(Frame(packet: topics.receiverConnect, version: nil))
                #expect(receiver.clientID == "load-receiver" && receiver.cleanStart && receiver.keepAlive == 0)
                #expect(connect.properties.sessionExpiryInterval == (version.hasProperties ? 3600 : nil))
                let frame = try Frame(packet: topics.subscribe(forDevice: 9), version: version)
                let filters = try Subscribe.decode(frame, version: version).subscriptions.map(\.filter)
                #expect(filters == (traffic == .fanOut(rate: 1) ? ["load/all"] : ["load/cmd/9"]))
            }
        }
        #expect(throws: MQTTError.self) {
            _ = try LoadTopics(Self.options { $0.username = String(repeating: "u", count: 70_000) })
        }
    }
}
