import Foundation
import Testing

/// Where devices are taken, and what the log calls them.
@Suite(.timeLimit(.minutes(20)))
struct ListenTests {
    /// What the program itself advises for all interfaces.
    @Test func bothFamiliesAtOnePort() async throws {
        let port = try Toolbox.freePort()
        var options = Scenario.Options()
        options.listen = "0.0.0.0:\(port)\", \"[::]:\(port)"
        try await Scenario.run(options) { scenario in
            for host in ["127.0.0.1", "::1"] {
                let device = try await RawDevice.connect(port: port, host: host)
                try await device.send(RawMQTT.connect("device"))
                #expect(try await device.receive(4).prefix(2) == [0x20, 2])
                await device.close()
            }
            try await scenario.bridge.process.errors.expect("peer=[::1]:")
        }
    }

    /// `::` alone takes IPv4 too.
    @Test func ipv6AloneTakesBoth() async throws {
        var options = Scenario.Options()
        options.listen = "[::]:0"
        try await Scenario.run(options) { scenario in
            for host in ["127.0.0.1", "::1"] {
                let device = try await RawDevice.connect(port: scenario.bridge.port, host: host)
                try await device.send(RawMQTT.connect("device"))
                #expect(try await device.receive(4).prefix(2) == [0x20, 2])
                await device.close()
            }
        }
    }

    @Test(.mapping(.connection, .mux)) func anAbsoluteHostNameIsUsed() async throws {
        var options = Scenario.Options()
        options.host = "localhost."
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("device-1")
        }
    }

    /// Devices without a client id: the port tells them apart, and the id that the broker gave.
    @Test(.mapping(.connection, .mux)) func namelessDevicesAreToldApart() async throws {
        try await Scenario.run { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            try await device.send(RawMQTT.connect("", level: 5))
            _ = try await device.receive(2)
            let line = try await scenario.bridge.process.errors.first("the device in the log") {
                $0.contains("device connected")
            }
            #expect(line.contains("client_id=auto-") && line.contains(/peer=127\.0\.0\.1:\d+/), "\(line)")
            try await device.send(RawMQTT.disconnect)
            let end = try await scenario.bridge.process.errors.first("its end") { $0.contains("session ended") }
            #expect(end.contains("client_id=auto-"), "\(end)")
        }
    }
}

extension EventLog<String> {
    fileprivate func expect(_ text: String) async throws {
        _ = try await first("'\(text)'") { $0.contains(text) }
    }
}
