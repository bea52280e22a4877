import Foundation
import Testing

/// `mqtt-quic-bridge init`, from a made-up bundle to a message at the broker.
@Suite(.timeLimit(.minutes(20)))
struct InitTests {
    enum Shape: String, CaseIterable, Sendable {
        case folder, zip, dotEnv
    }

    /// Makes a bundle for the scenario's far end, and returns its path.
    private static func bundle(_ shape: Shape, _ scenario: Scenario, password: String) async throws -> String {
        let folder = scenario.folder.path + "/credential_certificates/b"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ca = try await Certificates.make().certificate("ca")
        try FileManager.default.copyItem(atPath: ca, toPath: folder + "/ca-chain.pem")
        let port = scenario.farEnd.port
        switch shape {
        case .folder, .zip:
            try scenario.folder.write(
                "credential_certificates/b/mqtt-quic-config.json",
                """
                {"protocol": "mqtts", "host": "localhost", "port": \(port), "transport": "quic",
                 "tls": {"enabled": true, "version": "1.3", "ca_file": "ca-chain.pem", "verify_server": true},
                 "auth": {"method": "username_password", "username": "sensor-1", "password": "\(password)"},
                 "endpoint": "mqtts://localhost:\(port)", "connection": {"keepalive": 60, "clean_session": true}}
                """)
            try scenario.folder.write(
                "credential_certificates/b/endpoints.json", "{\"mqtt_quic\": \"mqtts://localhost:\(port)\"}")
        case .dotEnv:
            try scenario.folder.write(
                "credential_certificates/b/.env",
                """
                MQTT_HOST=localhost
                MQTT_PORT=\(port)
                MQTT_TRANSPORT=quic
                MQTT_USERNAME=sensor-1
                MQTT_PASSWORD=\(password)
                MQTT_CA_CERT=./certs/ca-chain.pem

                """)
        }
        chmod("\(folder)/mqtt-quic-config.json", 0o600)
        chmod("\(folder)/.env", 0o600)
        guard shape == .zip else { return folder }
        let script = """
            import os, sys, zipfile
            with zipfile.ZipFile(sys.argv[1] + '.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
                for name in sorted(os.listdir(sys.argv[1])):
                    archive.write(os.path.join(sys.argv[1], name), name)
                    os.unlink(os.path.join(sys.argv[1], name))
            os.rmdir(sys.argv[1])
            """
        try await python(script, folder)
        return folder + ".zip"
    }

    private static func python(_ script: String, _ arguments: String...) async throws {
        let process = try await ChildProcess.start("python", Toolbox.python, ["-c", script] + arguments)
        let end = try await process.end()
        guard end == .exit(0) else {
            throw HarnessError("\(end)", await process.errors.all.joined(separator: "\n"))
        }
    }

    @Test(.mapping(.connection, .mux), arguments: Shape.allCases)
    func aBundleBecomesARunningBridge(_ shape: Shape) async throws {
        try await Scenario.run { scenario in
            let password = "p#a s$s%!"
            _ = try await Self.bundle(shape, scenario, password: password)
            let (end, said) = try await CheckTests.bridge([
                "init", "--output", scenario.folder.path + "/", "--listen", "127.0.0.1:0",
            ])
            #expect(end == .exit(0), "\(said)")
            for word in ["found", "sensor-1", "wrote \(scenario.folder.path)/bridge.yaml", "NCSA level 2: met"] {
                #expect(said.contains(word), "\(word) in \(said)")
            }
            #expect(!said.contains(password))
            let text = try String(contentsOfFile: scenario.folder.path + "/bridge.yaml", encoding: .utf8)
            let bridge = try await Bridge.start(in: scenario.folder, configuration: text)
            do {
                let observer = try await scenario.observer("#")
                let device = await scenario.client("plain-device")
                try await device.connect(port: bridge.port)
                try await device.publish("telemetry/temp", "21.5", qos: 1)
                #expect(try await observer.message().topic == "device/sensor-1/telemetry/temp")
                try await device.publish("status", "on", qos: 1)
                #expect(try await observer.message().topic == "device/sensor-1/status")
            } catch {
                await bridge.process.stop()
                throw error
            }
            await bridge.process.stop()
            // A second call finds everything in its way.
            let again = try await CheckTests.bridge(["init", "--output", scenario.folder.path])
            #expect(again.end == .exit(1) && again.said.contains("bridge.yaml is in the way"), "\(again.said)")
        }
    }

    @Test(.mapping(.connection)) func aBrokerThatDoesNotAnswerIsSaidAtTheEnd() async throws {
        try await Scenario.run { scenario in
            _ = try await Self.bundle(.folder, scenario, password: "<password>")
            let port = try Toolbox.freePort()
            let arguments = ["init", "--output", scenario.folder.path, "--port", "\(port)"]
            let (end, said) = try await CheckTests.bridge(arguments)
            #expect(end == .exit(69), "\(said)")
            #expect(said.contains("the password is still the placeholder in angle brackets"), "\(said)")
            #expect(said.contains("without a password, devices have to send their own"), "\(said)")
        }
    }

    @Test(.mapping(.connection)) func nothingToBeginWithIsExplained() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let (end, said) = try await CheckTests.bridge(["init", "--output", folder.path])
        #expect(end == .exit(64) && said.contains("download the bundle"), "\(said)")
        let missing = try await CheckTests.bridge(["init", "\(folder.path)/none.zip", "--output", folder.path])
        #expect(missing.end == .exit(1) && missing.said.contains("no such file or folder"), "\(missing.said)")
    }

    /// Made by Python's zipfile, so that they are compressed as real ones are.
    @Test(
        .mapping(.connection),
        arguments: [
            ("a.writestr('../evil', 'x')", "leads out of the folder"),
            ("a.writestr('/evil', 'x')", "is an absolute path"),
            ("a.writestr('b', bytes(300_000_000))", "the most is 262144"),
            ("[a.writestr(str(i), bytes(262_144)) for i in range(5)]", "when it is unpacked"),
            ("[a.writestr(str(i), 'x') for i in range(65)]", "more than 64 entries"),
            (
                "i = zipfile.ZipInfo('ca-chain.pem'); i.external_attr = 0o120777 << 16; a.writestr(i, '/etc/shadow')",
                "is a symbolic link"
            ),
            ("a.writestr('in', b'PK\\x03\\x04' + bytes(99))", "is a zip file itself"),
            ("a.writestr('x', 'x'); a.writestr('x', 'y')", "is there twice"),
            ("a.writestr('readme.txt', 'x')", "is not a TESAIoT bundle"),
        ])
    func aHostileZipFileLeavesNothingBehind(statement: String, words: String) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let script = """
            import sys, warnings, zipfile
            warnings.simplefilter('ignore')
            with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as a:
                \(statement)
            """
        let zip = folder.path + "/bad.zip"
        try await Self.python(script, zip)
        let (end, said) = try await CheckTests.bridge(["init", zip, "--output", folder.path])
        #expect(end == .exit(1), "\(said)")
        #expect(said.contains(words) && said.contains("bad.zip"), "\(said)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["bad.zip"])
    }
}
