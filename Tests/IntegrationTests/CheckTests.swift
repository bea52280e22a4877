import Foundation
import Testing

/// `mqtt-quic-bridge check`, and what a bad configuration does to `run`.
@Suite(.timeLimit(.minutes(20)))
struct CheckTests {
    private static func bridge(_ arguments: String...) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        try await bridge(arguments)
    }

    static func bridge(_ arguments: [String]) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        let process = try await ChildProcess.start("bridge", Toolbox.bridge(), arguments)
        let end = try await process.end()
        // Both streams may end later than the process.
        _ = try? await process.output.first("the end of output") { _ in false }
        _ = try? await process.errors.first("the end of errors") { _ in false }
        let said = await process.output.all + process.errors.all
        return (end, said.joined(separator: "\n"))
    }

    @Test(.mapping(.connection, .mux)) func aGoodConfigurationIsShownWithoutItsSecrets() async throws {
        var options = Scenario.Options()
        options.configuration = """
            auth: {mode: inject, username: gateway, password: "very secret"}
            routes: [{local: "a/#", remote: "b/${clientid}/#"}]
            """
        let folder = try Folder()
        defer { folder.remove() }
        let file = try folder.write(
            "bridge.yaml", try await Scenario.configuration(options, port: 14567))
        let (end, said) = try await Self.bridge("check", "--config", file)
        #expect(end == .exit(0), "\(said)")
        #expect(said.contains("gateway") && said.contains("14567"))
        #expect(!said.contains("very secret"))
    }

    @Test(arguments: [
        ("uplnik: {host: a}", "uplink"), ("limits: {devices: many}", "devices"),
        ("routes: [{local: \"a/#/b\", remote: b}]", "routes"),
    ])
    func aBadConfigurationIsRefusedWithItsPlace(line: String, word: String) async throws {
        var options = Scenario.Options()
        options.configuration = line
        let folder = try Folder()
        defer { folder.remove() }
        let file = try folder.write(
            "bridge.yaml", try await Scenario.configuration(options, port: 14567))
        for command in ["check", "run"] {
            let (end, said) = try await Self.bridge(command, "--config", file)
            #expect(end == .exit(78))
            #expect(said.contains("bridge.yaml:") && said.contains(word), "\(said)")
        }
    }

    @Test func aMissingFileIsABadConfiguration() async throws {
        let (end, said) = try await Self.bridge("check", "--config", "/nonexistent/bridge.yaml")
        #expect(end == .exit(78) && said.contains("/nonexistent/bridge.yaml"))
    }

    /// The configuration loader cannot know that these files are wrong. `check` reports what `run` would, and where the
    /// configuration names the file.
    @Test(arguments: [
        ("ca: $FOLDER/damaged.pem", "uplink.ca", "is damaged"), ("ca: $FOLDER/cut.pem", "uplink.ca", "is cut off"),
        (
            "ca: $CA\n  client_certificate: $FOLDER/damaged.pem\n  client_key: $FOLDER/right.key",
            "uplink.client_certificate", "is damaged"
        ),
        (
            "ca: $CA\n  client_certificate: $FOLDER/right.pem\n  client_key: $FOLDER/damaged.key", "uplink.client_key",
            "damaged"
        ),
        (
            "ca: $CA\n  client_certificate: $FOLDER/right.pem\n  client_key: $FOLDER/other.key", "uplink.client_key",
            "the key does not belong to the certificate"
        ),
        (
            "ca: $CA\n  client_certificate: $FOLDER/reversed.pem\n  client_key: $FOLDER/right.key",
            "uplink.client_certificate", "the certificates are in the wrong order"
        ),
        (
            "ca: $CA\n  fallback: {port: 1}\n  client_certificate: $FOLDER/right.pem\n  client_key: $FOLDER/other.key",
            "uplink.client_key", "the key does not belong to the certificate"
        ),
        ("ca: $CA\n  tls_key_log: $FOLDER/folder.log", "uplink.tls_key_log", "s a directory"),
    ])
    func checkReadsWhatRunReads(lines: String, key: String, words: String) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let ca = try await Self.writeCredentials(in: folder)
        let text = "listen: [\"127.0.0.1:0\"]\nuplink:\n  host: localhost\n  mapping: connection\n  \(lines)\n"
        let file = try folder.write(
            "bridge.yaml", text.replacing("$FOLDER", with: folder.path).replacing("$CA", with: ca))
        for command in [["check"], ["check", "--connect"], ["run"]] {
            let (end, said) = try await Self.bridge(command + ["--config", file])
            #expect(end == .exit(78), "\(said)")
            #expect(said.contains("bridge.yaml:") && said.contains(key) && said.contains(words), "\(said)")
        }
    }

    /// Writes certificates, keys and damaged copies of them to the folder, and returns the CA file's path.
    private static func writeCredentials(in folder: Folder) async throws -> String {
        let certificates = try await Certificates.make()
        func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
        let ca = try text(certificates.certificate("ca"))
        let (certificate, key) = (try text(certificates.certificate("client")), try text(certificates.key("client")))
        func damaged(_ text: String) -> String {
            var lines = text.split(separator: "\n")
            lines[1] = "AAAA" + lines[1].dropFirst(4)
            return lines.joined(separator: "\n") + "\n"
        }
        try FileManager.default.createDirectory(atPath: "\(folder.path)/folder.log", withIntermediateDirectories: false)
        try folder.write("right.pem", certificate)
        try folder.write("right.key", key)
        try folder.write("damaged.pem", damaged(ca))
        try folder.write("damaged.key", damaged(key))
        try folder.write("cut.pem", ca.split(separator: "\n").prefix(3).joined(separator: "\n"))
        try folder.write("reversed.pem", ca + certificate)
        try folder.write("other.key", try text(certificates.key("other-client")))
        return certificates.certificate("ca")
    }

    /// Files may have a byte order mark or CR at the ends of lines, for QUIC as well as for TLS over TCP.
    @Test(arguments: ["\u{FEFF}", "\r"]) func filesOfOtherEditorsAreTaken(mark: String) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let ca = try String(contentsOfFile: try await Self.writeCredentials(in: folder), encoding: .utf8)
        for (name, text) in [
            ("ca.pem", ca), ("right.pem", try String(contentsOfFile: "\(folder.path)/right.pem", encoding: .utf8)),
            ("right.key", try String(contentsOfFile: "\(folder.path)/right.key", encoding: .utf8)),
        ] {
            try folder.write(name, mark == "\r" ? text.replacing("\n", with: mark) : mark + text)
        }
        let file = try folder.write(
            "bridge.yaml",
            """
            listen: ["127.0.0.1:0"]
            uplink: {host: localhost, ca: ca.pem, client_certificate: right.pem, client_key: right.key, fallback: {port: 1}}

            """)
        let (end, said) = try await Self.bridge("check", "--config", file)
        #expect(end == .exit(0), "\(said)")
    }

    /// A file without users is not an error, because users may be added while the program runs.
    @Test(arguments: [
        ("", false, true), ("\u{FEFF}# nobody\n", false, true), ("", true, false), ("\u{FEFF}\(user)", false, false),
    ])
    func anEmptyUsersFileIsWarnedAbout(content: String, anonymous: Bool, isWarnedOf: Bool) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try folder.write("users", content)
        let ca = try await Certificates.make().certificate("ca")
        let file = try folder.write(
            "bridge.yaml",
            """
            listen: ["127.0.0.1:0"]
            uplink: {host: localhost, ca: \(ca), mapping: data-stream, identity: {client_id: gateway}}
            auth: {mode: local, users_file: users, anonymous: \(anonymous)}

            """)
        let warning = "users: has no users, so no device can log in; add users with mosquitto_passwd"
        let (end, said) = try await Self.bridge("check", "--config", file)
        #expect(end == .exit(0) && said.contains(warning) == isWarnedOf, "\(said)")
        guard isWarnedOf else { return }
        let process = try await ChildProcess.start("bridge", Toolbox.bridge(), ["run", "--config", file])
        _ = try await process.errors.first("the warning") { $0.contains(warning) }
        process.signal(SIGTERM)
        _ = try await process.end()
    }

    private static let user =
        "plc:$7$101$KU/nZvHiH3vQEM7Q$HYQv1nRCQwSAghDdq6WR6UN3orTbQg3N7rr5LYoPnu80b9SgGtiUjJuneMrVUThU9slnDxs6R+OqJ4eSxiIHvA==\n"

    @Test func aUsersFileIsRead() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try folder.write("users", "plc-1:not a hash\n")
        let ca = try await Certificates.make().certificate("ca")
        let file = try folder.write(
            "bridge.yaml",
            """
            listen: ["127.0.0.1:0"]
            uplink: {host: localhost, ca: \(ca), mapping: data-stream, identity: {client_id: gateway}}
            auth: {mode: local, users_file: users}

            """)
        for command in ["check", "run"] {
            let (end, said) = try await Self.bridge(command, "--config", file)
            #expect(end == .exit(78) && said.contains("bridge.yaml:3:") && said.contains("auth.users_file"), "\(said)")
        }
    }

    /// An address that this machine does not have keeps `run` from starting. So does one that is in use, but `check`
    /// only warns about it, because a bridge may be running.
    @Test func addressesToListenAtAreTried() async throws {
        try await Scenario.run { scenario in
            for (listen, code, words) in [
                ("203.0.113.7:1883", Int32(1), "This machine does not have that address"),
                ("127.0.0.1:\(scenario.bridge.port)", 0, "Address already in use"),
            ] {
                var options = Scenario.Options()
                options.listen = listen
                let file = try scenario.folder.write(
                    "check.yaml", try await Scenario.configuration(options, port: scenario.farEnd.port))
                let checked = try await Self.bridge("check", "--config", file)
                #expect(checked.end == .exit(code) && checked.said.contains(words), "\(checked.said)")
                let run = try await Self.bridge("run", "--config", file)
                #expect(run.end == .exit(1) && run.said.contains(words), "\(run.said)")
                // The bridge had not begun to connect to the broker.
                #expect(!run.said.contains("UDP socket") && !run.said.contains("leg=uplink"), "\(run.said)")
            }
        }
    }

    /// Runs `check --connect` with a configuration for the scenario's far end.
    private static func connect(
        _ options: Scenario.Options, _ scenario: Scenario
    ) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        let file = try scenario.folder.write(
            "check.yaml", try await Scenario.configuration(options, port: scenario.farEnd.port))
        return try await bridge("check", "--config", file, "--connect")
    }

    @Test func connectReportsTheBroker() async throws {
        try await Scenario.run { scenario in
            let (end, said) = try await Self.connect(Scenario.Options(), scenario)
            #expect(end == .exit(0), "\(said)")
            for word in [
                "127.0.0.1", "TLS 1.3", "mqtt", "localhost", "Test CA", "encrypted transport", "server verified",
            ] {
                #expect(said.contains(word), "\(word) in \(said)")
            }
        }
    }

    @Test func connectReportsWhatIsWrong() async throws {
        try await Scenario.run { scenario in
            var options = Scenario.Options()
            options.ca = "other-ca"
            let (end, said) = try await Self.connect(options, scenario)
            #expect(end != .exit(0))
            #expect(said.contains("other-ca.pem"), "\(said)")
        }
    }

    @Test(.mapping(.connection), arguments: [true, false])
    func connectTriesTheFallback(isTLS: Bool) async throws {
        var options = Scenario.Options()
        options.broker.tlsCertificate = "server"
        try await Scenario.run(options) { scenario in
            let port = isTLS ? try #require(scenario.broker.tlsPort) : scenario.broker.port
            var options = Scenario.Options()
            options.uplink = [Uplink.fallback(port)]
            let (end, said) = try await Self.connect(options, scenario)
            #expect(end == .exit(isTLS ? 0 : 69), "\(said)")
            let words =
                isTLS
                ? ["connected to the fallback localhost port \(port)", "TLS 1.3 over TCP"]
                : ["fallback localhost port \(port)", "is it a TLS port?"]
            for word in words { #expect(said.contains(word), "\(word) in \(said)") }
        }
    }

    @Test func healthIsThatOfTheListener() async throws {
        try await Scenario.run { scenario in
            var options = Scenario.Options()
            options.listen = "127.0.0.1:\(scenario.bridge.port)"
            let file = try scenario.folder.write(
                "health.yaml", try await Scenario.configuration(options, port: scenario.farEnd.port))
            let healthy = try await Self.bridge("health", "--config", file).end
            #expect(healthy == .exit(0))
            scenario.bridge.process.signal(SIGTERM)
            _ = try await scenario.bridge.process.end()
            let gone = try await Self.bridge("health", "--config", file).end
            #expect(gone != .exit(0))
        }
    }
}
