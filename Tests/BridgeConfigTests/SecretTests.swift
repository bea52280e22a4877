import BridgeCore
import Foundation
import Testing

@testable import BridgeConfig

struct SecretTests {
    private static let secret = "correct-horse-battery"

    @Test func noDescriptionShowsAPassword() throws {
        let folder = try TemporaryFolder()
        try folder.write("pw", Self.secret + "\n")
        let text =
            minimal + """
                auth:
                  mode: inject
                  password: \(Self.secret)
                  overrides:
                    - {match: {username: a}, password: \(Self.secret)}
                    - {match: {username: b}, password_file: pw}
                """
        let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path)
        #expect(loaded.configuration.auth.identity.password?.value == Self.secret)
        #expect(loaded.configuration.auth.overrides.map { $0.identity.password?.value } == [Self.secret, Self.secret])
        var dumped = ""
        dump(loaded, to: &dumped)
        let shown = [
            "\(loaded)", String(reflecting: loaded), dumped, EffectiveConfiguration.render(loaded.configuration),
            EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins),
        ]
        for text in shown { #expect(!text.contains(Self.secret)) }
        #expect(shown[3].contains("password: \"********\""))
    }

    @Test func noDescriptionShowsTheGatewaysPassword() throws {
        let loaded = try load(dataStream(identity: "username: a, password: \(Self.secret)"))
        #expect(loaded.configuration.uplink.identity?.password?.value == Self.secret)
        var dumped = ""
        dump(loaded, to: &dumped)
        let shown = [
            "\(loaded)", String(reflecting: loaded), dumped,
            EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins),
        ]
        for text in shown { #expect(!text.contains(Self.secret)) }
    }

    @Test func theGatewaysPasswordInFilesThatOthersCanReadIsWarnedOf() throws {
        let folder = try TemporaryFolder()
        let text = dataStream(identity: "username: a, password: p")
        let file = try folder.write("bridge.yaml", text, mode: 0o640)
        let env = try folder.write(".env", "BRIDGE_UPLINK_IDENTITY_USERNAME=b", mode: 0o640)
        let message = "contains a password and can be read by other users; chmod 600 it"
        #expect(
            try ConfigurationLoader.load(.run, file: file, environment: [:]).warningsBesidesRoutes == [
                "\(file): \(message), or use password_file"
            ])
        try folder.write(".env", "BRIDGE_UPLINK_IDENTITY_PASSWORD='a #b'", mode: 0o640)
        #expect(
            try ConfigurationLoader.load(.run, file: file, environment: [:]).warningsBesidesRoutes == [
                "\(env): \(message)"
            ])
    }

    /// Passwords that are invalid in every possible way, or written where they do not belong.
    @Test(arguments: [
        "auth: {mode: inject, password: [correct-horse-battery]}",
        "auth: {mode: inject, password: \"correct-horse-battery\\u0007\"}",
        "auth: {mode: inject, password: <correct-horse-battery>}",
        "auth: {password: correct-horse-battery}",
        "auth: {mode: inject, pasword: correct-horse-battery}",
        "auth: {mode: inject, password: correct-horse-battery, password_file: x}",
        "auth:\n  mode: inject\n  password: a\n  password: correct-horse-battery",
        "auth:\n  mode: inject\n  password: correct-horse-battery: x",
        "auth:\n  mode: inject\n  password: *correct-horse-battery",
        "auth: {overrides: [{match: {username: a}, password: [correct-horse-battery]}]}",
        "password: correct-horse-battery",
        "uplink: {identity: {password: [correct-horse-battery]}}",
        "uplink: {identity: {password: correct-horse-battery}}",
        "uplink: {identity: {pasword: correct-horse-battery}}",
        "uplink: {mapping: data-stream, identity: {client_id: a, password: correct-horse-battery}}",
        "uplink: {mapping: data-stream, identity: {client_id: a, username: a, password: <correct-horse-battery>}}",
    ])
    func noErrorShowsAPassword(_ text: String) throws {
        let lines = try errors(minimal + text)
        #expect(!lines.isEmpty)
        for line in lines { #expect(!line.contains(Self.secret)) }
    }

    @Test func noErrorOfDotEnvShowsItsLine() throws {
        for line in [Self.secret, "MQTT_PASSWORD='\(Self.secret)", "MQTT_PASSWORD:\(Self.secret)"] {
            let lines = try errors(minimal, dotEnv: line)
            #expect(lines.count == 1)
            #expect(lines.first?.contains(Self.secret) == false)
        }
    }

    @Test(arguments: [("p\n", "p"), ("p\r\n", "p"), ("p", "p"), (" p #x ", " p #x "), ("p%$!\n", "p%$!")])
    func passwordFile(_ content: String, _ expected: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("pw", content)
        let loaded = try ConfigurationLoader.load(
            .run, text: minimal + "auth: {mode: inject, password_file: pw, username: u}", folder: folder.path)
        #expect(loaded.configuration.auth.identity.password == Secret(expected))
        #expect(loaded.warnings.isEmpty)
    }

    @Test(arguments: [
        ("", "is empty; leave the key out to use the default"),
        ("a\nb\n", "contains a line break or another control character"),
        ("<secret>\n", "is still the placeholder in angle brackets; put the real password there"),
    ])
    func noPasswordFile(_ content: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("pw", content)
        let lines = try errors(minimal + "auth: {mode: inject, password_file: pw}", folder: folder)
        #expect(lines == ["bridge.yaml:2:37: auth.password_file: DIR/pw: \(message)"])
    }

    @Test func filesThatOthersCanReadAreWarnedOf() throws {
        let folder = try TemporaryFolder()
        let password = try folder.write("pw", "p", mode: 0o644)
        let file = try folder.write(
            "bridge.yaml",
            minimal
                + "auth: {mode: inject, password_file: pw, username: u, overrides: [{match: {username: a}, password: p}]}",
            mode: 0o640)
        let env = try folder.write(".env", "MQTT_PASSWORD=p", mode: 0o604)
        let loaded = try ConfigurationLoader.load(.run, file: file, environment: [:])
        #expect(
            loaded.warnings == [
                "\(file): contains a password and can be read by other users; chmod 600 it, or use password_file",
                "\(env): contains a password and can be read by other users; chmod 600 it",
            ])
        let withoutDotEnv = try ConfigurationLoader.load(.run, file: file, envFile: "/dev/null", environment: [:])
        #expect(
            withoutDotEnv.warnings.last
                == "\(file):2:37: auth.password_file: \(password) can be read by other users; chmod 600 it")
    }

    /// The program is user 10 in group 20.
    @Test(arguments: [
        (0o600, 10, 20, false), (0o400, 0, 0, false), (0o640, 0, 20, false), (0o440, 0, 20, false),
        (0o640, 10, 20, true), (0o640, 0, 0, true), (0o640, 0, 21, true), (0o604, 10, 20, true), (0o644, 0, 20, true),
    ])
    func others(mode: mode_t, user: uid_t, group: gid_t, expected: Bool) {
        var file = stat()
        file.st_mode = S_IFREG | mode
        file.st_uid = user
        file.st_gid = group
        #expect(FileMode.isReadableByOthers(file, user: 10, group: 20) == expected)
    }

    @Test func anIdentityForWhoeverConnectsIsWarnedOf() throws {
        let loaded = try load(
            "listen: [127.0.0.1:2, 0.0.0.0:1]\n" + minimal + "auth: {mode: inject, username: u, password: p}")
        #expect(
            loaded.warnings == [
                "bridge.yaml:1:9: listen: anyone who reaches 0.0.0.0:1 is let in under the identity of auth; keep that "
                    + "network closed"
            ])
    }
}
