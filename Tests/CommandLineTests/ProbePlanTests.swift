import BridgeConfig
import Foundation
import Testing

@testable import mqtt_quic_bridge

struct ProbePlanTests {
    private static func plan(
        _ arguments: [String], _ sources: [DeviceSettings] = [], systemCA: String? = "/system.pem"
    ) throws -> ProbePlan {
        try ProbePlan(try ProbeOptionGroup.parse(arguments), sources, systemCA: systemCA)
    }

    private static func source(_ change: (inout DeviceSettings) -> Void) -> DeviceSettings {
        var settings = DeviceSettings(source: ".env")
        change(&settings)
        return settings
    }

    @Test func theDefaultsAreThoseOfTheBridge() throws {
        let options = try Self.plan(["broker.test"]).options
        #expect(options.host == "broker.test" && options.port == 14567 && options.caFile == "/system.pem")
        #expect(options.alpn == ["mqtt-mux", "mqtt"] && options.timeout == .seconds(5))
        #expect(options.connections == 32 && options.fallbackPort == 8884 && !options.isFallbackRequired)
        #expect(options.identity.clientID == nil && options.identity.username == nil)
    }

    @Test(arguments: [
        ("broker.test:1234", "broker.test", 1_234), ("[2001:db8::7]:99", "2001:db8::7", 99),
        ("[2001:db8::7]", "2001:db8::7", 14_567), ("192.0.2.1", "192.0.2.1", 14_567),
    ])
    func endpointsAreUnderstood(text: String, host: String, port: Int) throws {
        let options = try Self.plan([text]).options
        #expect(options.host == host && options.port == port)
    }

    @Test(arguments: [
        ([], "say which broker"), (["broker.test:70000"], "not a UDP port"), (["https://a"], "a URL"),
        (["a.test", "--cert", "c.pem"], "--cert and --key go together"),
        (["a.test", "--server-name", "a b"], "--server-name"), (["a.test", "--alpn", "mqtt,,x"], "--alpn"),
        (["a.test", "--timeout", "0.5"], "--timeout"), (["a.test", "--connections", "257"], "0 to 256"),
        (["a.test", "--fallback-port", "65536"], "--fallback-port"), (["a.test", "-4", "-6"], "-4 and -6"),
        (["a.test", "-P", "x", "--pw-file", "y"], "-P and --pw-file"),
        (["a.test", "--pw-file", "/nonexistent/file"], "--pw-file /nonexistent/file: no such file"),
        (["a.test", "-u", String(repeating: "x", count: 65_536)], "65535 bytes"),
    ])
    func whatIsWrongIsSaid(arguments: [String], words: String) throws {
        let problem = try #require(throws: ProbePlan.Problem.self) { try Self.plan(arguments) }
        #expect(problem.description.contains(words), "\(problem)")
    }

    @Test func withoutAnyCAThereIsNothingToTrust() throws {
        let problem = try #require(throws: ProbePlan.Problem.self) { try Self.plan(["a.test"], systemCA: nil) }
        #expect(problem.description.contains("--cafile"))
        #expect(try Self.plan(["a.test", "--ca", "x.pem"], systemCA: nil).options.caFile == "x.pem")
    }

    @Test func theNamesOfADeviceAreUsedForItsOwnHost() throws {
        let source = Self.source {
            ($0.host, $0.port, $0.caFile) = ("Broker.test", 4_567, "chain.pem")
            ($0.username, $0.password, $0.clientID) = ("plc", "secret", "plc")
        }
        let plan = try Self.plan([], [source])
        #expect(plan.options.host == "Broker.test" && plan.options.port == 4_567 && plan.options.caFile == "chain.pem")
        #expect(plan.options.identity.username == "plc")
        #expect(plan.options.identity.password == Array("secret".utf8))
        // The device itself may be connected.
        #expect(plan.options.identity.clientID == nil)
        #expect(try Self.plan(["broker.test:1"], [source]).options.identity.username == "plc")
    }

    @Test func aPasswordDoesNotGoToAnotherHost() throws {
        let source = Self.source { ($0.host, $0.username, $0.password) = ("broker.test", "plc", "secret") }
        let plan = try Self.plan(["stranger.test"], [source])
        #expect(plan.options.identity.username == nil && plan.options.identity.password == nil)
        #expect(plan.notes == [".env is for another host, broker.test, so its MQTT_ names are not used"])
    }

    @Test func aPasswordDoesNotGoWithAnotherUserName() throws {
        let source = Self.source { ($0.username, $0.password) = ("plc", "secret") }
        #expect(try Self.plan(["a.test", "-u", "other"], [source]).options.identity.password == nil)
        #expect(try Self.plan(["a.test", "-u", "plc"], [source]).options.identity.password == Array("secret".utf8))
        #expect(try Self.plan(["a.test", "-P", "mine"], [source]).options.identity.password == Array("mine".utf8))
    }

    /// As `pub` and `sub` choose.
    @Test func aPasswordWithoutUserNameIsForEveryUser() throws {
        let environment = Self.source { $0.password = "secret" }
        let dotEnv = Self.source { ($0.username, $0.password) = ("plc", "other") }
        let named = try Self.plan(["a.test", "-u", "me"], [environment]).options.identity
        #expect(named.username == "me" && named.password == Array("secret".utf8))
        let both = try Self.plan(["a.test"], [environment, dotEnv]).options.identity
        #expect(both.username == "plc" && both.password == Array("secret".utf8))
    }

    @Test func aPasswordFileThatOthersCanReadIsNamed() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: file) }
        for (mode, warnings) in [(0o644, ["\(file) can be read by other users; chmod 600 it"]), (0o600, [])] {
            try Data("secret\n".utf8).write(to: URL(fileURLWithPath: file))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
            let plan = try Self.plan(["a.test", "-u", "me", "--pw-file", file])
            #expect(plan.options.identity.password == Array("secret".utf8) && plan.warnings == warnings)
        }
    }

    @Test func aPasswordMayLookLikeAnOption() throws {
        let identity = try Self.plan(["a.test", "-u", "-u", "-P", "--json", "-i", "-4"]).options.identity
        #expect(identity.username == "-u" && identity.clientID == "-4")
        #expect(identity.password == Array("--json".utf8))
    }

    @Test func gentleLeavesTheFallbackOut() throws {
        #expect(try Self.plan(["a.test", "--gentle"]).options.fallbackPort == nil)
        #expect(try Self.plan(["a.test", "--fallback-port", "0"]).options.fallbackPort == nil)
        let named = try Self.plan(["a.test", "--fallback-port", "8883"]).options
        #expect(named.fallbackPort == 8_883 && named.isFallbackRequired)
    }

    @Test func theCommandIsThere() throws {
        let command = try BridgeCommand.parseAsRoot(["probe", "a.test:1", "--json", "-i", "me", "--cafile", "x"])
        let probe = try #require(command as? ProbeCommand)
        #expect(probe.options.json && probe.options.clientID == "me" && probe.options.certificates.caFile == "x")
    }
}
