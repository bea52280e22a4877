import BridgeCore
import Foundation
import Testing

@testable import Bridge

/// The addresses that devices are accepted on, and the names that the log has for devices.
@Suite(.timeLimit(.minutes(20)))
struct ListenTests {
    /// This is the configuration that the program itself suggests for all interfaces.
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

    /// `::` alone accepts IPv4 too.
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

    /// The loopback interface has the number 1 on every machine.
    @Test func zonesAreTheSameByNumberAndByName() {
        let all = ["fe80::1%lo", "fe80::2%lo", "fe80::1%1"].map { ListenAddress(host: $0, port: 1) }
        #expect(all[2].rival(among: all[..<2]) == all[0])
        #expect(all[1].rival(among: all[..<1]) == nil)
        #expect(ListenAddress(host: "fe80::1%1", port: 2).rival(among: all) == nil)
        #expect(ListenAddress(host: "fe80::1%nowhere", port: 1).rival(among: all) == nil)
    }

    /// Addresses are tried at the same time. If two of the list exclude each other, no other program is blamed, and no
    /// address stays in use.
    @Test(arguments: [ListenError.Transport.tcp, .quic])
    func addressesOfOneListAreTriedTogether(transport: ListenError.Transport) throws {
        let port = try Toolbox.freePort()
        let address = ListenAddress(host: "127.0.0.1", port: port)
        let other = ListenAddress(host: "127.0.0.2", port: port)
        // A program that another test starts has copies of all sockets for the moment in which it is not yet itself.
        func problems(_ addresses: [ListenAddress]) -> [ListenError] {
            for _ in 0..<1_000 {
                let problems = ListenProbe.problems(with: addresses, transport)
                if !problems.contains(where: \.isInUse) { return problems }
            }
            return ListenProbe.problems(with: addresses, transport)
        }
        for _ in 0..<2 {
            #expect(problems([address, other]).isEmpty)
            let problems = problems([address, other, address])
            #expect(problems.count == 1)
            #expect(problems.first?.rival == address && problems.first?.isInUse == false)
            #expect("\(problems.map(\.description))".contains("It is the same as 127.0.0.1, which is listed before it"))
        }
    }

    @Test(.mapping(.connection, .mux)) func anAbsoluteHostNameIsUsed() async throws {
        var options = Scenario.Options()
        options.host = "localhost."
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("device-1")
        }
    }

    /// Devices without a client identifier are told apart by their port and by the identifier that the broker assigned.
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
