import Testing

extension ConfigurationErrorTests {
    @Test(arguments: [
        Case(
            "mode: injekt",
            "2:14: auth.mode: \"injekt\" is not a value of this key; did you mean \"inject\"? one of: passthrough, inject, "
                + "bundles, local"
        ),
        Case(
            "mode: inject",
            "2:14: auth.mode: inject needs at least one of auth.client_id, auth.username and auth.password"),
        Case(
            "username: a",
            "2:18: auth.username: has no effect with mode passthrough; write mode: inject under auth:, or remove this"),
        Case(
            "mode: inject, username: \"${user}\"",
            "2:32: auth.username: ${user} is not a variable; did you mean ${username}? variables are ${clientid}, ${username}, ${listener}, ${peer}"
        ),
        Case(
            "mode: inject, username: \"${a\"",
            "2:32: auth.username: a ${ without a closing }; variables are ${clientid}, ${username}, ${listener}, ${peer}"
        ),
        Case(
            "mode: inject, password: <your password>",
            "2:32: auth.password: is still the placeholder in angle brackets; put the real password there"),
        Case(
            "mode: inject, password: a, password_file: b",
            "2:50: auth.password_file: password and password_file are both given; keep one"),
        Case("mode: inject, password_file: none", "2:37: auth.password_file: DIR/none: no such file"),
        Case(
            "overrides: 1", "2:19: auth.overrides: expected a list, found a single value; each item begins with a dash"),
        Case(
            "overrides: [{match: {client_id: a}}]",
            "2:20: auth.overrides[0]: changes nothing; write client_id, username or password"),
        Case(
            "overrides: [{username: a}]",
            "2:20: auth.overrides[0]: match is missing, such as match: {client_id: sensor-1}"),
        Case("overrides: [{match: {}, username: a}]", "2:28: auth.overrides[0].match: give client_id or username"),
        Case(
            "overrides: [{match: {client_id: a, username: b}, username: a}]",
            "2:28: auth.overrides[0].match: matches by client_id or by username, not by both"),
        Case(
            "overrides: [{match: {clientid: a}, username: a}]",
            "2:28: auth.overrides[0].match: give client_id or username",
            "2:29: auth.overrides[0].match.clientid: unknown key; did you mean \"client_id\"?"),
        Case(
            "overrides: [{match: {client_id: a}, username: x}, {match: {client_id: a}, username: y}]",
            "2:58: auth.overrides[1]: a previous override has the same match, and the first one wins"),
    ])
    func auth(_ test: Case) throws {
        try expect(minimal + "auth: {\(test.text)}", test.expected)
    }

    @Test(
        arguments: [
            ("mode: inject, password: s", "auth.password: there is no auth.username, so 3.1 and 3.1.1 devices"),
            ("mode: inject, username: u, password: s", nil),
            ("mode: inject, client_id: \"g-${clientid}\"", nil),
            (
                "overrides: [{match: {client_id: a}, password: s}]",
                "auth.overrides[0]: has a password and no username, so 3.1 and 3.1.1 devices"
            ),
            ("overrides: [{match: {username: a}, password: s}]", nil),
            ("overrides: [{match: {client_id: a}, username: u, password: s}]", nil),
        ] as [(String, String?)])
    func aPasswordWithoutAUserNameIsWarnedOf(text: String, warning: String?) throws {
        let warnings = try load(minimal + "auth: {\(text)}").warnings
        #expect(warnings.count == (warning == nil ? 0 : 1))
        if let warning { #expect(warnings.first?.contains(warning) == true) }
    }

    /// Both spellings of the letter look alike, and are different bytes.
    @Test func textsThatOnlyLookAlikeAreNotTheSame() throws {
        let (one, other) = ("caf\u{E9}", "cafe\u{301}")
        let overrides = "[{match: {client_id: \(one)}, username: x}, {match: {client_id: \(other)}, username: y}]"
        #expect(try load(minimal + "auth: {overrides: \(overrides)}").configuration.auth.overrides.count == 2)
        let map = "[{client_id: \(one), device_id: \(one)}, {client_id: \(other), device_id: \(other)}]"
        let loaded = try load(minimal + "auth: {mode: bundles, bundles: ., bundle_map: \(map)}")
        #expect(loaded.configuration.auth.bundleMap.count == 2)
        #expect(!loaded.warnings.contains { $0.contains("the same device_id") })
    }
}
