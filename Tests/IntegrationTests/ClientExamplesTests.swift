import Foundation
import Testing

/// The programs in `examples/` do what they say.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct ClientExamplesTests {
    private func start(
        _ name: String, _ scenario: ClientScenario, _ environment: [String: String]
    ) async throws -> ChildProcess {
        var all = environment
        all["MQTT_HOST"] = "localhost"
        all["MQTT_PORT"] = "\(scenario.farEnd.port)"
        all["MQTT_CA_CERT"] = try await Certificates.make().certificate("ca")
        all["MQTT_USERNAME"] = "device-1"
        let settings = all.map { "\($0.key)=\($0.value)" }
        return try await ChildProcess.start(name, "env", settings + [try Toolbox.built("example-\(name)")])
    }

    private var options: ClientScenario.Options {
        var options = ClientScenario.Options()
        options.broker.users = ["device-1": "secret", "observer": "secret"]
        return options
    }

    private func observer(_ scenario: ClientScenario, _ filter: String) async throws -> PahoClient {
        let observer = await PahoClient("observer", scenario.driver)
        try await observer.connect(
            port: scenario.broker.port,
            ["version": "5.0", "username": .string("observer"), "password": .string("secret")])
        try await observer.subscribe(filter)
        return observer
    }

    @Test("The sensor publishes its readings and ends")
    func sensor() async throws {
        try await ClientScenario.run(.serve, options) { scenario in
            let observer = try await observer(scenario, "device/device-1/#")
            let sensor = try await start(
                "sensor", scenario, ["MQTT_PASSWORD": "secret", "SENSOR_COUNT": "3", "SENSOR_INTERVAL": "0.01"])
            #expect(try await observer.message().text == #"{"online":true}"#)
            for number in 1...3 {
                let message = try await observer.message(on: "device/device-1/telemetry")
                #expect(message.text?.contains(#""number":\#(number)"#) == true)
            }
            #expect(try await sensor.end() == .exit(0))
        }
    }

    @Test("A sensor with a wrong password says so and ends with 1")
    func wrongPassword() async throws {
        try await ClientScenario.run(.serve, options) { scenario in
            let sensor = try await start("sensor", scenario, ["MQTT_PASSWORD": "wrong"])
            let line = try await sensor.output.first("the reason") { $0.hasPrefix("sensor:") }
            #expect(line.contains("check the user name, the password"))
            #expect(try await sensor.end() == .exit(1))
        }
    }

    @Test(
        "A number that cannot be used ends an example with a sentence and with 64",
        arguments: [
            ("sensor", "SENSOR_COUNT", "0"), ("sensor", "SENSOR_INTERVAL", "nan"), ("sensor", "MQTT_PORT", "abc"),
            ("command-receiver", "RECEIVER_COUNT", "-1"), ("command-receiver", "MQTT_PORT", "70000"),
        ])
    func invalidNumber(name: String, variable: String, value: String) async throws {
        let example = try await ChildProcess.start(
            name, "env",
            ["MQTT_HOST=localhost", "MQTT_USERNAME=d", "\(variable)=\(value)", try Toolbox.built("example-\(name)")])
        let line = try await example.output.first("the reason") { _ in true }
        #expect(line.hasPrefix("\(variable) is \"\(value)\": set it to a number from "))
        #expect(try await example.end() == .exit(64))
    }

    @Test("The command receiver carries commands out, also those that came while it was away")
    func commandReceiver() async throws {
        try await ClientScenario.run(.serve, options) { scenario in
            let observer = try await observer(scenario, "device/device-1/status")
            for round in ["present", "away"] {
                if round == "away" { try await observer.publish("device/device-1/commands/x", "away", qos: 1) }
                let receiver = try await start(
                    "command-receiver", scenario, ["MQTT_PASSWORD": "secret", "RECEIVER_COUNT": "1"])
                if round == "present" {
                    _ = try await receiver.output.first("it to be ready") { $0 == "ready" }
                    try await observer.publish("device/device-1/commands/x", "present", qos: 1)
                }
                #expect(try await observer.message().text == round)
                #expect(try await receiver.end() == .exit(0))
            }
        }
    }
}
