import BridgeCore
import Testing

@testable import BridgeConfig

/// `uplink.mapping` and what comes with it: protocol names, the gateway's identity and `auth.mode: local`.
struct MappingTests {
    @Test(arguments: [
        ("", UplinkConfiguration.Mapping.auto, nil),
        (", mapping: auto", .auto, nil),
        (", mapping: connection", .connection, nil),
        (", mapping: mux", .mux, nil),
        (", alpn: [mqtt]", .auto, ["mqtt"]),
        (", mapping: auto, alpn: [x, mqtt-mux, mqtt]", .auto, ["x", "mqtt-mux", "mqtt"]),
        (", mapping: mux, alpn: [mqtt-mux]", .mux, ["mqtt-mux"]),
        (", mapping: connection, alpn: [mqtt]", .connection, ["mqtt"]),
    ])
    func mapping(_ keys: String, _ mapping: UplinkConfiguration.Mapping, _ alpn: [String]?) throws {
        let loaded = try load("uplink: {host: a, ca: ca.pem\(keys)}")
        #expect(loaded.configuration.uplink.mapping == mapping)
        #expect(loaded.configuration.uplink.alpn == alpn)
        #expect(loaded.configuration.uplink.identity == nil)
        #expect(loaded.warnings.isEmpty)
    }

    @Test func numbers() throws {
        let uplink = try load("uplink: {host: a, ca: ca.pem, devices_per_connection: 7, reconnects_per_second: 100000}")
            .configuration.uplink
        #expect(uplink.devicesPerConnection == 7)
        #expect(uplink.reconnectsPerSecond == 100_000)
    }

    @Test func everyKeyOfDataStream() throws {
        let folder = try TemporaryFolder()
        try folder.write("users", "a:$7$...")
        let text = """
            uplink:
              host: a
              ca: ca.pem
              mapping: data-stream
              identity:
                client_id: gateway
                username: user
                password: "p # : "
                version: 5.0
                keep_alive: 90
            auth:
              mode: local
              users_file: users
              anonymous: true
            """
        let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path)
        #expect(
            loaded.configuration.uplink.identity
                == GatewayIdentity(
                    clientID: "gateway", username: "user", password: Secret("p # : "), version: .v5_0,
                    keepAlive: .seconds(90)))
        #expect(
            loaded.configuration.auth
                == AuthConfiguration(mode: .local, usersFile: folder.path + "/users", allowsAnonymous: true))
        #expect(loaded.warningsBesidesRoutes.isEmpty)
        #expect(loaded.origins["uplink.identity.version"]?.description == "bridge.yaml:9:14")
    }

    @Test(arguments: [("any", GatewayIdentity.Version.any), ("3.1.1", .v3_1_1), ("5.0", .v5_0)])
    func version(_ text: String, _ version: GatewayIdentity.Version) throws {
        #expect(try loadDataStream(identity: "version: \(text)").configuration.uplink.identity?.version == version)
    }

    @Test func defaultsOfDataStream() throws {
        let loaded = try loadDataStream()
        #expect(loaded.configuration.uplink.identity == GatewayIdentity(clientID: "gw"))
        #expect(loaded.configuration.auth == AuthConfiguration(mode: .local, allowsAnonymous: true))
        #expect(loaded.warningsBesidesRoutes.isEmpty)
    }

    @Test func aSectionWithEverythingCommentedOut() throws {
        let loaded = try load("uplink:\n  host: a\n  ca: ca.pem\n  identity:\n    # client_id: a\n")
        #expect(loaded.configuration.uplink.identity == nil)
    }

    @Test func identityFromFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("name", "gateway-user\n", mode: 0o644)
        let password = try folder.write("pw", "secret\n", mode: 0o644)
        let text = dataStream(identity: "username_file: name, password_file: pw")
        let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path)
        #expect(loaded.configuration.uplink.identity?.username == "gateway-user")
        #expect(loaded.configuration.uplink.identity?.password == Secret("secret"))
        #expect(
            loaded.warningsBesidesRoutes == [
                "bridge.yaml:1:115: uplink.identity.password_file: \(password) can be read by other users; chmod 600 it"
            ])
    }

    @Test func everythingFromTheEnvironment() throws {
        let environment = [
            "BRIDGE_UPLINK_MAPPING": "data-stream", "BRIDGE_UPLINK_IDENTITY_CLIENT_ID": "gw",
            "BRIDGE_UPLINK_IDENTITY_USERNAME": "u", "BRIDGE_UPLINK_IDENTITY_PASSWORD": "p",
            "BRIDGE_UPLINK_IDENTITY_VERSION": "3.1.1", "BRIDGE_UPLINK_IDENTITY_KEEP_ALIVE": "10s",
            "BRIDGE_AUTH_MODE": "local", "BRIDGE_AUTH_ANONYMOUS": "true", "BRIDGE_UPLINK_RECONNECTS_PER_SECOND": "9",
        ]
        let loaded = try load(minimal, environment: environment)
        #expect(
            loaded.configuration.uplink.identity
                == GatewayIdentity(
                    clientID: "gw", username: "u", password: Secret("p"), version: .v3_1_1, keepAlive: .seconds(10)))
        #expect(loaded.configuration.auth == AuthConfiguration(mode: .local, allowsAnonymous: true))
        #expect(loaded.configuration.uplink.reconnectsPerSecond == 9)
        #expect(loaded.warningsBesidesRoutes.isEmpty)
        let files = [
            "BRIDGE_UPLINK_IDENTITY_USERNAME_FILE": "/dev/null", "BRIDGE_UPLINK_IDENTITY_PASSWORD_FILE": "/nowhere",
            "BRIDGE_AUTH_USERS_FILE": "/nowhere",
        ]
        let message = "/dev/null: is empty; leave the key out to use the default"
        #expect(
            try errors(dataStream(), environment: files) == [
                "environment: BRIDGE_AUTH_USERS_FILE: auth.users_file: /nowhere: no such file; mosquitto_passwd -c /nowhere "
                    + "NAME makes one",
                "environment: BRIDGE_UPLINK_IDENTITY_PASSWORD_FILE: uplink.identity.password_file: /nowhere: no such file",
                "environment: BRIDGE_UPLINK_IDENTITY_USERNAME_FILE: uplink.identity.username_file: \(message)",
            ])
    }

    @Test func aPasswordOfTheEnvironmentReplacesAFileOfTheFile() throws {
        let loaded = try load(
            dataStream(identity: "username: u, password_file: nowhere"),
            environment: ["BRIDGE_UPLINK_IDENTITY_PASSWORD": "p"])
        #expect(loaded.configuration.uplink.identity?.password == Secret("p"))
    }

    // MARK: - TESAIoT's names

    @Test func namesOfADeviceAreTheGateways() throws {
        let text = "uplink: {host: a, ca: ca.pem, mapping: data-stream}\nauth: {mode: local, anonymous: true}"
        let loaded = try load(text, dotEnv: "MQTT_USERNAME=u\nMQTT_PASSWORD=p#1")
        #expect(
            loaded.configuration.uplink.identity
                == GatewayIdentity(clientID: "u", username: "u", password: Secret("p#1")))
        #expect(loaded.configuration.auth == AuthConfiguration(mode: .local, allowsAnonymous: true))
        #expect(loaded.warningsBesidesRoutes.isEmpty)
        let named = try load(text, dotEnv: "MQTT_USERNAME=u\nMQTT_CLIENT_ID=c")
        #expect(named.configuration.uplink.identity == GatewayIdentity(clientID: "c", username: "u"))
    }

    @Test func theClientIDOfTheFileStays() throws {
        let loaded = try load(dataStream(identity: "username: x"), dotEnv: "MQTT_USERNAME=u")
        #expect(loaded.configuration.uplink.identity == GatewayIdentity(clientID: "gw", username: "u"))
    }

    @Test func withoutAModeTheNamesOfADeviceDoNotImplyInject() throws {
        let lines = try errors(
            "uplink: {host: a, ca: ca.pem, mapping: data-stream}", dotEnv: "MQTT_USERNAME=u\nMQTT_PASSWORD=p")
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("bridge.yaml: auth.mode: uplink.mapping data-stream needs mode local") == true)
    }

    // MARK: - Warnings

    @Test(arguments: [
        ("mapping: connection", "connection: each device has one of its own"),
        ("mapping: auto, alpn: [mqtt]", "auto without mqtt-mux in uplink.alpn: each device has one of its own"),
    ])
    func devicesPerConnectionWithoutEffect(_ keys: String, _ expected: String) throws {
        let loaded = try load("uplink: {devices_per_connection: 5, host: a, ca: ca.pem, \(keys)}")
        #expect(
            loaded.warningsBesidesRoutes == [
                "bridge.yaml:1:34: uplink.devices_per_connection: has no effect with mapping \(expected)"
            ])
    }

    @Test func devicesPerConnectionWithDataStream() throws {
        let loaded = try load(dataStream(), environment: ["BRIDGE_UPLINK_DEVICES_PER_CONNECTION": "5"])
        #expect(
            loaded.warningsBesidesRoutes == [
                "environment: BRIDGE_UPLINK_DEVICES_PER_CONNECTION: uplink.devices_per_connection: has no effect with "
                    + "mapping data-stream: the broker says how many streams it allows"
            ])
    }

    @Test func otherNamesWithMux() throws {
        let loaded = try load("uplink: {host: a, ca: ca.pem, mapping: mux, alpn: [mqtt-mux, mqtt]}")
        #expect(
            loaded.warningsBesidesRoutes == [
                "bridge.yaml:1:62: uplink.alpn: a server that chooses \"mqtt\" cannot be used with mapping mux; remove it, or "
                    + "write mapping: auto"
            ])
    }

    @Test func anonymousDevices() throws {
        let text =
            dataStream() + "listen: 0.0.0.0:1\nroutes: [{local: a, remote: b}, {local: c, remote: \"${username}/c\"}]"
        #expect(
            try load(text).warnings == [
                "bridge.yaml:3:9: listen: anyone who reaches 0.0.0.0:1 is let in without a user name, as auth.anonymous is "
                    + "true; keep that network closed",
                "bridge.yaml:2:32: auth.anonymous: devices without a user name are still refused: routes[1] contains "
                    + "${username}, and they have no value for it",
            ])
        // With mode local, a route without variables is allowed.
        #expect(try load(dataStream() + "routes: [{local: c, remote: \"${clientid}/c\"}]").warnings.isEmpty)
        #expect(try load(dataStream() + "routes: [{local: c, remote: c}]").warnings.isEmpty)
    }

    @Test func devicesThatNothingBinds() throws {
        let expected =
            "uplink.mapping: without routes every device may publish and subscribe to everything that the broker allows the gateway"
        let warnings = try loadDataStream().warnings
        #expect(warnings.count == 1 && warnings.first?.contains(expected) == true)
        #expect(try load(dataStream() + "routes: [{local: c, remote: c}]").warnings.isEmpty)
        #expect(try load("uplink: {host: a, ca: ca.pem}").warnings.isEmpty)
    }

    @Test func aUsersFileThatOthersCanRead() throws {
        let folder = try TemporaryFolder()
        let users = try folder.write("users", "", mode: 0o644)
        let text = dataStream(auth: "mode: local, users_file: users")
        #expect(
            try ConfigurationLoader.load(.run, text: text, folder: folder.path).warningsBesidesRoutes == [
                "bridge.yaml:2:33: auth.users_file: \(users) can be read by other users; chmod 600 it"
            ])
    }
}

/// A configuration with the mapping `data-stream`, in two lines.
func dataStream(identity: String = "", auth: String = "mode: local, anonymous: true") -> String {
    let identity = identity.isEmpty ? "" : ", \(identity)"
    return """
        uplink: {host: a, ca: ca.pem, mapping: data-stream, identity: {client_id: gw\(identity)}}
        auth: {\(auth)}

        """
}

func loadDataStream(identity: String = "") throws -> LoadedConfiguration {
    try load(dataStream(identity: identity))
}
