import Foundation
import Testing

/// SIGTERM to the bridge, with and without devices.
@Suite(.timeLimit(.minutes(20)))
struct ShutdownTests {
    @Test func anIdleBridgeExitsWithSuccess() async throws {
        try await Scenario.run { scenario in
            scenario.bridge.process.signal(SIGTERM)
            let end = try await scenario.bridge.process.end()
            #expect(end == .exit(0))
        }
    }

    @Test func everySessionEndsInOrderUnderLoad() async throws {
        let number = 20
        try await Scenario.run { scenario in
            let observer = try await scenario.observer("will/#")
            var devices: [PahoClient] = []
            for index in 0..<number {
                let name = "device-\(index)"
                let device = try await scenario.device(
                    name,
                    [
                        "version": index.isMultiple(of: 2) ? "3.1.1" : "5.0",
                        "will": ["topic": .string("will/\(name)"), "payload": ["text": "gone"]],
                    ])
                devices.append(device)
            }
            for device in devices {
                for _ in 0..<10 {
                    try await device.startPublishing("load", .size(20_000), qos: 1)
                }
            }
            let start = ContinuousClock.now
            scenario.bridge.process.signal(SIGTERM)
            let end = try await scenario.bridge.process.end()
            #expect(end == .exit(0))
            // The limit is 5 s; the rest is for a busy machine.
            #expect(ContinuousClock.now - start < .seconds(15))
            for device in devices {
                _ = try await device.disconnected()
                if TestMapping.current != .dataStream {
                    try await scenario.broker.logs("Received DISCONNECT from \(device.name)")
                }
                try await scenario.gone(device.name)
            }
            try await observer.publish("will/marker", "marker", qos: 1)
            #expect(try await observer.message().topic == "will/marker")
        }
    }

    @Test func aDeviceOfMQTT5IsToldWhy() async throws {
        try await Scenario.run { scenario in
            let device = try await scenario.device("device-1", ["version": "5.0"])
            scenario.bridge.process.signal(SIGTERM)
            let ended = try await device.disconnected()
            #expect(ended.fromServer == true && ended.code == 0x8B)
        }
    }

    @Test func newDevicesAreRefused() async throws {
        try await Scenario.run { scenario in
            _ = try await scenario.device("device-1")
            scenario.bridge.process.signal(SIGTERM)
            _ = try await scenario.bridge.process.end()
            let late = try await scenario.client("late").tryConnect(port: scenario.bridge.port)
            #expect(late.event == "connect_failed")
        }
    }

    /// The broker does not answer, and the time limit is far away: a second signal ends the bridge at once.
    @Test func aSecondSignalDoesNotWait() async throws {
        var options = Scenario.Options()
        options.configuration = "limits: {shutdown_timeout: 300s}"
        options.uplink = ["idle_timeout: 300s"]
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("device-1")
            try await scenario.farEnd.mute(true)
            let said = await scenario.bridge.process.errors.count
            scenario.bridge.process.signal(SIGTERM)
            _ = try await scenario.bridge.process.errors.first("a log line after that", from: said) { _ in true }
            scenario.bridge.process.signal(SIGTERM)
            _ = try await scenario.bridge.process.end()
        }
    }

    /// The broker does not answer, so the time limit ends the bridge.
    @Test func theLimitEndsAShutdownThatDoesNotFinish() async throws {
        var options = Scenario.Options()
        options.configuration = "limits: {shutdown_timeout: 2s}"
        options.uplink = ["idle_timeout: 300s"]
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("device-1")
            try await scenario.farEnd.mute(true)
            scenario.bridge.process.signal(SIGTERM)
            let end = try await scenario.bridge.process.end()
            #expect(end == .exit(0))
        }
    }

    /// Devices are held on silent connections or without any, so their ends cannot be passed on.
    @Test(arguments: [false, true])
    func heldDevicesDoNotKeepTheBridge(isLost: Bool) async throws {
        var options = Scenario.Options()
        options.relayed = true
        options.configuration = "limits: {shutdown_timeout: 3s}\nthreads: 2"
        // A connection that is made ahead of time for a device outlasts a keepalive of a minute.
        let isForOne = TestMapping.current == .connection
        options.uplink = [
            "warm: \(isLost && isForOne ? 0 : 2)", "idle_timeout: \(isLost ? 6 : 300)s", "keep_alive: 2s",
        ]
        try await Scenario.run(options) { scenario in
            var devices: [PahoClient] = []
            for index in 0..<4 {
                devices.append(
                    try await scenario.device(
                        "device-\(index)",
                        ["version": index.isMultiple(of: 2) ? "3.1.1" : "5.0", "keep_alive": isForOne ? 4 : 60]))
            }
            try await scenario.relay.blackOut(true)
            for device in devices { try await device.startPublishing("a", "b", qos: 1) }
            try await scenario.holds(devices.count)
            if isLost { try await scenario.bridgeSays("the broker cannot be reached") }
            let start = ContinuousClock.now
            scenario.bridge.process.signal(SIGTERM)
            #expect(try await scenario.bridge.process.end() == .exit(0))
            // The limit is 3 s; the rest is for a busy machine.
            #expect(ContinuousClock.now - start < .seconds(13))
            for device in devices { _ = try await device.disconnected() }
        }
    }
}
