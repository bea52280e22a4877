import Testing

@testable import BridgeConfig

struct MappingErrorTests {
    typealias Case = ConfigurationErrorTests.Case

    private static let known = "known: client_id, username, username_file, password, password_file, version, keep_alive"

    @Test(arguments: [
        Case(
            "mapping: mux, alpn: [mqtt]",
            "1:51: uplink.alpn: mqtt-mux is missing, and mapping mux needs it"),
        Case(
            "mapping: connection, alpn: [mqtt, mqtt-mux]",
            "1:65: uplink.alpn: a server that chooses mqtt-mux expects mapping mux, not connection; remove it, or write "
                + "mapping: auto"),
        Case(
            "mapping: datastream",
            "1:40: uplink.mapping: \"datastream\" is not a value of this key; did you mean \"data-stream\"? one of: auto, "
                + "connection, mux, data-stream"),
        // With an invalid mapping, other keys are not checked against it.
        Case(
            "mapping: mx, alpn: [mqtt], identity: {client_id: a}",
            "1:40: uplink.mapping: \"mx\" is not a value of this key; did you mean \"mux\"? one of: auto, connection, mux, "
                + "data-stream"),
        Case(
            "devices_per_connection: 0",
            "1:55: uplink.devices_per_connection: 0 is out of range; a number of devices is a whole number from 1 to "
                + "100000"),
        Case(
            "reconnects_per_second: many",
            "1:54: uplink.reconnects_per_second: \"many\" is not a number; a number of devices per second is a whole number "
                + "from 1 to 100000"),
        Case(
            "identity: {client_id: a, version: any}",
            "1:53: uplink.identity.client_id: has no effect with mapping auto; write mapping: data-stream under uplink:, or "
                + "remove this",
            "1:65: uplink.identity.version: has no effect with mapping auto; write mapping: data-stream under uplink:, or "
                + "remove this"),
        Case("identity: a", "1:41: uplink.identity: expected a map of keys, found a single value; \(known)"),
        Case("identity: {colour: a}", "1:42: uplink.identity.colour: unknown key; \(known)"),
        Case("identity: {user: a}", "1:42: uplink.identity.user: unknown key; did you mean \"username\"?"),
        Case(
            "identity.version: any",
            "1:31: uplink.identity.version: unknown key; write it as \"version\" under \"identity:\" under \"uplink:\""),
        Case(
            "version: any",
            "1:31: uplink.version: unknown key; \"version\" belongs under \"identity:\" under \"uplink:\""),
        Case(
            "client_id: a",
            "1:31: uplink.client_id: unknown key; \"client_id\" belongs under \"identity:\" under \"uplink:\""),
        Case("identiti: {a: b}", "1:31: uplink.identiti: unknown key; did you mean \"identity\"?"),
    ])
    func uplink(_ test: Case) throws {
        try expect("uplink: {host: a, ca: ca.pem, \(test.text)}", test.expected)
    }

    /// The keys of the identity begin at column 78.
    @Test(arguments: [
        Case(
            "version: 4",
            "1:88: uplink.identity.version: \"4\" is not a value of this key; one of: any, 3.1.1, 5.0"),
        Case("keep_alive: 4s", "1:91: uplink.identity.keep_alive: 4s is out of range; write a value from 5s to 65535s"),
        Case(
            "keep_alive: 65536",
            "1:91: uplink.identity.keep_alive: 65536 is out of range; write a value from 5s to 65535s"),
        Case("keep_alive: 5500ms", "1:91: uplink.identity.keep_alive: MQTT counts whole seconds here"),
        Case(
            "username: \"${username}\"",
            "1:89: uplink.identity.username: contains a variable, but no device gives it a value here"),
        Case(
            "username: <user>",
            "1:89: uplink.identity.username: \"<user>\" is a placeholder; put the real value there"),
        Case(
            "username: a, username_file: b",
            "1:107: uplink.identity.username_file: username and username_file are both given; keep one"),
        Case(
            "username: a, password: b, password_file: c",
            "1:120: uplink.identity.password_file: password and password_file are both given; keep one"),
        Case(
            "username: a, password: <your password>",
            "1:102: uplink.identity.password: is still the placeholder in angle brackets; put the real password there"),
        Case(
            "username: a, password_file: none",
            "1:107: uplink.identity.password_file: DIR/none: no such file"),
        Case(
            "password: a",
            "1:89: uplink.identity.password: needs uplink.identity.username beside it, or version: 5.0; MQTT 3.1.1 allows no "
                + "password without one"),
        Case(
            "version: 3.1.1, password_file: ca.pem",
            "1:110: uplink.identity.password_file: DIR/ca.pem: contains a line break or another control character",
            "1:110: uplink.identity.password_file: needs uplink.identity.username beside it, or version: 5.0; MQTT 3.1.1 "
                + "allows no password without one"),
    ])
    func identity(_ test: Case) throws {
        try expect(dataStream(identity: test.text), test.expected)
    }

    @Test func aPasswordAloneIsFineInMQTT5() throws {
        #expect(try errors(dataStream(identity: "password: a, version: 5.0")).isEmpty)
    }

    @Test(arguments: [
        ("", "1:1"), (", identity: {version: any}", "1:53"),
    ])
    func noClientID(_ keys: String, _ place: String) throws {
        try expect(
            "uplink: {host: a, ca: ca.pem, mapping: data-stream\(keys)}\nauth: {mode: local, anonymous: true}",
            [
                "\(place): uplink.identity.client_id: is missing (it can also come from BRIDGE_UPLINK_IDENTITY_CLIENT_ID); "
                    + "it is the client id of the gateway itself, as with mapping data-stream the broker sees "
                    + "<client_id>-1, <client_id>-2 and so on"
            ])
    }

    @Test func aClientIDWithoutRoomForTheNumber() throws {
        let clientID = String(repeating: "a", count: 65_516)
        let text = dataStream().replacing("client_id: gw", with: "client_id: \(clientID)")
        try expect(
            text,
            [
                "1:75: uplink.identity.client_id: is longer than 65515 bytes; it is followed by a number, and MQTT allows 65535"
            ])
        #expect(try errors(text.replacing("client_id: a", with: "client_id: ")).isEmpty)
    }

    @Test(arguments: [
        Case(
            "",
            "2:1: auth.mode: uplink.mapping data-stream needs mode local, not passthrough: there the broker never sees a "
                + "device's user name and password, and the bridge checks them itself"),
        Case(
            "mode: inject, username: a",
            "2:14: auth.mode: uplink.mapping data-stream needs mode local, not inject: there the broker never sees a "
                + "device's user name and password, and the bridge checks them itself"),
        Case(
            "mode: local",
            "2:14: auth.mode: local lets no device in without auth.users_file, or auth.anonymous: true, or both"),
        Case(
            "mode: local, anonymous: false",
            "2:14: auth.mode: local lets no device in without auth.users_file, or auth.anonymous: true, or both"),
        Case("mode: local, anonymous: yes", "2:32: auth.anonymous: \"yes\" is neither true nor false"),
        Case(
            "mode: local, users_file: none",
            "2:33: auth.users_file: DIR/none: no such file; mosquitto_passwd -c DIR/none NAME makes one"),
        Case("mode: local, users_file: .", "2:33: auth.users_file: DIR/.: is a folder, not a file"),
        Case(
            "mode: local, anonymous: true, client_id: a, password: b",
            "2:49: auth.client_id: has no effect with mode local; remove this",
            "2:62: auth.password: has no effect with mode local; remove this"),
        Case(
            "mode: local, anonymous: true, overrides: [{match: {client_id: a}, username: b}]",
            "2:49: auth.overrides: has no effect with mode local; remove this"),
        Case(
            "mode: lokal, anonymous: true",
            "2:14: auth.mode: \"lokal\" is not a value of this key; did you mean \"local\"? one of: passthrough, inject, "
                + "bundles, local"),
    ])
    func authWithDataStream(_ test: Case) throws {
        try expect(dataStream(auth: test.text), test.expected)
    }

    @Test(arguments: [
        Case(
            "mode: local, anonymous: true",
            "2:14: auth.mode: local needs uplink.mapping data-stream; with mapping auto the broker checks devices itself: "
                + "write passthrough, inject or bundles"),
        Case(
            "users_file: ca.pem",
            "2:20: auth.users_file: has no effect with mode passthrough; write mode: local under auth:, or remove this"),
        Case(
            "mode: inject, username: a, anonymous: false",
            "2:46: auth.anonymous: has no effect with mode inject; write mode: local under auth:, or remove this"),
    ])
    func authWithOthers(_ test: Case) throws {
        try expect(minimal + "auth: {\(test.text)}", test.expected)
    }

    private func expect(_ text: String, _ expected: [String], _ location: SourceLocation = #_sourceLocation) throws {
        let lines = try errors(text)
        #expect(lines == expected.map { "bridge.yaml:" + $0 }, sourceLocation: location)
    }
}
