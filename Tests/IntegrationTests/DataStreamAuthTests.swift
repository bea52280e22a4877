import Testing

/// Which devices the bridge itself accepts, and with which user names (`auth.mode: local`).
@Suite(.mapping(.dataStream), .timeLimit(.minutes(20)))
struct DataStreamAuthTests {
    /// Runs a bridge that accepts the users in a file made by Mosquitto's own tool.
    private func run(
        _ users: [String: String], anonymous: Bool = false, more: String = "",
        _ body: @Sendable (Scenario, Folder) async throws -> Void
    ) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try await PasswordFile.write("users", in: folder, users)
        var options = Scenario.Options()
        options.configuration = """
            auth: {mode: local, users_file: \(file), anonymous: \(anonymous)}
            \(more)
            """
        try await Scenario.run(options) { scenario in try await body(scenario, folder) }
    }

    private func outcome(
        _ scenario: Scenario, _ name: String, _ version: String, _ user: String?, _ password: String?
    ) async throws -> PahoEvent {
        var fields: [String: JSONValue] = ["version": .string(version)]
        if let user { fields["username"] = .string(user) }
        if let password { fields["password"] = .string(password) }
        return try await scenario.client("\(name)-\(version)").tryConnect(port: scenario.bridge.port, fields)
    }

    /// "Bad user name or password" is 4 in 3.1.1 and 0x86 in 5.0, "not authorized" is 5 and 0x87. paho reports the
    /// codes of 5.0 for both versions.
    @Test(arguments: ["3.1", "3.1.1", "5.0"])
    func onlyTheRightPasswordIsAccepted(version: String) async throws {
        try await run(["alice": "s#cret %$!", "bob": "b"]) { scenario, _ in
            let right = try await outcome(scenario, "right", version, "alice", "s#cret %$!")
            #expect(right.code == 0)
            for (name, user, password) in [
                ("wrong", "alice", "guess"), ("unknown", "mallory", "s#cret %$!"), ("longer", "alice", "s#cret %$!!"),
                ("case", "Alice", "s#cret %$!"),
            ] {
                let refused = try await outcome(scenario, name, version, user, password)
                #expect(refused.event == "connected" && refused.code == 0x86, "\(name)")
                try await scenario.bridgeLogs("session ended", "user name or the password is wrong", "username=\(user)")
            }
            let without = try await outcome(scenario, "without", version, "alice", nil)
            #expect(without.code == 0x86)
            let anonymous = try await outcome(scenario, "anonymous", version, nil, nil)
            #expect(anonymous.event == "connected" && anonymous.code == 0x87)
            try await scenario.bridgeLogs("session ended", "auth.anonymous")
            // The log must contain neither passwords nor guesses at them.
            #expect(await scenario.linesOfBridge("guess").isEmpty)
            #expect(await scenario.linesOfBridge("s#cret").isEmpty)
        }
    }

    @Test(arguments: ["3.1.1", "5.0"])
    func anonymousMayBeAllowedBesideUsers(version: String) async throws {
        try await run(["alice": "secret"], anonymous: true) { scenario, _ in
            let nobody = try await outcome(scenario, "nobody", version, nil, nil)
            #expect(nobody.code == 0)
            let alice = try await outcome(scenario, "alice", version, "alice", "secret")
            #expect(alice.code == 0)
            let wrong = try await outcome(scenario, "wrong", version, "alice", "guess")
            #expect(wrong.code == 0x86)
        }
    }

    @Test func withoutAUsersFileNoPasswordIsRight() async throws {
        try await Scenario.run { scenario in
            let outcome = try await outcome(scenario, "alice", "5.0", "alice", "secret")
            #expect(outcome.code == 0x86)
        }
    }

    /// Devices' passwords do not leave the bridge: the broker sees only the gateway's identity and password.
    @Test(arguments: ["3.1.1", "5.0"])
    func theBrokerSeesTheGatewayAlone(version: String) async throws {
        var options = Scenario.Options()
        options.broker.users = ["gateway-user": "s#cret %$!"]
        options.uplink = [#"identity: {client_id: gateway, username: gateway-user, password: "s#cret %$!"}"#]
        try await Scenario.run(options) { scenario in
            let device = try await scenario.device("device-1", ["version": .string(version)])
            let protocolName = version == "5.0" ? "p5" : "p2"
            try await scenario.broker.logs("as gateway-1 (\(protocolName), c1, k60, u'gateway-user')")
            try await device.publish("up", "hello", qos: 1)
            #expect(await scenario.broker.process.errors.all.allSatisfy { !$0.contains("device-1") })
        }
    }

    /// The file is checked every few seconds. Errors in a new one are logged, and the previous users keep their access.
    @Test func aChangedFileIsReloaded() async throws {
        try await run(["alice": "first", "bob": "bob"]) { scenario, folder in
            let before = try await outcome(scenario, "before", "5.0", "alice", "first")
            #expect(before.code == 0)

            try await PasswordFile.write("users", in: folder, ["alice": "second", "carol": "carol"])
            try await scenario.bridgeLogs("users file reloaded", "users=2")
            let old = try await outcome(scenario, "old", "5.0", "alice", "first")
            #expect(old.code == 0x86)
            let new = try await outcome(scenario, "new", "5.0", "alice", "second")
            #expect(new.code == 0)
            let gone = try await outcome(scenario, "gone", "3.1.1", "bob", "bob")
            #expect(gone.code == 0x86)
            let added = try await outcome(scenario, "added", "3.1.1", "carol", "carol")
            #expect(added.code == 0)

            try folder.write("users", "carol:carol\n")
            let line = try await scenario.bridgeLogs("reloading the users file failed", "line 1")
            #expect(line.contains("carol") && !line.contains("carol:carol"))
            let kept = try await outcome(scenario, "kept", "5.0", "carol", "carol")
            #expect(kept.code == 0)
        }
    }

    /// If the file is missing or broken at the start, the bridge says so and exits, instead of refusing every device.
    @Test func aBrokenFileIsNamedAtTheStart() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try folder.write("users", "# nobody yet\nalice:secret\n")
        var options = Scenario.Options()
        options.configuration = "auth: {mode: local, users_file: \(file)}"
        let configuration = try folder.write(
            "bridge.yaml", try await Scenario.configuration(options, port: try Toolbox.freePort()))
        let bridge = try await ChildProcess.start("bridge", Toolbox.bridge(), ["run", "--config", configuration])
        let end = try await bridge.end()
        #expect(end != .exit(0))
        _ = try await bridge.errors.first("the file and its line") { $0.contains(file) && $0.contains("line 2") }
        #expect(await bridge.errors.all.allSatisfy { !$0.contains("secret") })
    }

    /// Routes with the user name do what an ACL does elsewhere.
    @Test(arguments: ["3.1.1", "5.0"])
    func routesKeepUsersApart(version: String) async throws {
        let routes = """
            routes:
              - {local: "all/#", remote: "all/#", direction: down}
              - {local: "#", remote: "users/${username}/#"}
            unrouted: reject
            """
        try await run(["alice": "a", "bob": "b"], more: routes) { scenario, _ in
            let observer = try await scenario.observer("#")
            let alice = try await scenario.device(
                "d1", ["version": .string(version), "username": "alice", "password": "a"])
            let bob = try await scenario.device(
                "d2", ["version": .string(version), "username": "bob", "password": "b"])
            try await alice.subscribe("#", qos: 1)
            try await bob.publish("x", "of bob", qos: 1)
            #expect(try await observer.message().topic == "users/bob/x")
            try await bob.publish("users/alice/x", "of bob", qos: 1)
            #expect(try await observer.message().topic == "users/bob/users/alice/x")
            try await observer.publish("users/alice/y", "for alice", qos: 1)
            let message = try await alice.message()
            #expect(message.topic == "y" && message.text == "for alice")
        }
    }
}
