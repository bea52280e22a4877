import ArgumentParser
import Testing

@testable import mqtt_quic_bridge

@Suite struct BenchCommandTests {
    private static func parse(_ arguments: [String]) throws -> BenchCommand {
        let command = try BridgeCommand.parseAsRoot(ToolArguments.folded(["bench"] + arguments))
        return try #require(command as? BenchCommand)
    }

    @Test func allOptions() throws {
        let command = try Self.parse([
            "b.example:99", "--devices", "200", "--rate", "2.5", "--qos", "2", "--size", "100", "--duration", "60",
            "--topic", "t/%i", "--connect-rate", "50", "--subscribers", "2", "-M", "5", "-u", "u%i", "--pw-file", "p",
            "-I",
            "x-", "-D", "publish", "user-property", "a", "-b", "--json",
        ])
        let plan = try command.plan()
        #expect((plan.devices, plan.rate, plan.size, plan.duration) == (200, 2.5, 100, 60))
        #expect(plan.qos == .exactlyOnce && plan.topic.text == "t/%i" && plan.connectRate == 50)
        #expect(plan.subscribers == 2 && plan.window == 5 && plan.takesUsername && plan.takesPassword)
        #expect(plan.clientID.text(of: 3, process: 7) == "x-7-3")
        #expect(plan.properties.userProperties.map(\.value) == ["-b"])
        let broker = try command.namedBroker()
        #expect(broker.host == "b.example" && broker.port == 99 && command.load.json)
    }

    @Test func withoutOptions() throws {
        let command = try Self.parse(["b.example"])
        let plan = try command.plan()
        #expect(plan == BenchPlan())
        #expect(try command.namedBroker().port == nil)
    }

    @Test(arguments: [
        (["b.example", "-h", "c.example"], "the broker is named twice"),
        (["b.example:1", "-p", "2"], "the port is given"),
        (["b.example:x"], "b.example:x: "), (["b.example", "-c"], "bench leaves no sessions"),
        (["b.example", "-V", "5", "-x", "5"], "bench leaves no sessions"), (["b.example", "-t", "a/+"], "-t \"a/+\""),
        (["b.example", "-i", "x"], "-i: the devices need different client ids"), (["b.example", "-q", "3"], "QoS"),
    ])
    func whatIsWrongIsSaid(_ arguments: [String], _ words: String) throws {
        let error = #expect(throws: (any Error).self) { try Self.parse(arguments) }
        let message = BridgeCommand.message(for: try #require(error))
        #expect(message.contains(words), "\(message)")
    }
}
