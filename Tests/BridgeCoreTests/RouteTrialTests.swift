import Testing

@testable import BridgeCore

@Suite("Routing: what becomes of a device's message")
struct RouteTrialTests {
    private static let routes = [
        Route(
            local: "telemetry/#", remote: "device/${username}/telemetry/#", direction: .up, maximumQoS: 1,
            retain: .strip),
        Route(
            local: "commands/#", remote: "device/${clientid}/commands/#", direction: .down, maximumQoS: 1,
            retain: .strip),
        Route(local: "rooms/+/lamp", remote: "site/lamps/+"),
    ]

    private static func trial(
        _ routes: [Route] = Self.routes, unrouted: UnroutedPolicy = .reject, auth: AuthConfiguration = .init(),
        gateway: GatewayIdentity? = nil, clientID: String = "d1", username: String? = "anna"
    ) throws -> RouteTrial {
        var uplink = UplinkConfiguration(host: "broker", caFile: "ca.pem")
        if let gateway {
            uplink.mapping = .dataStream
            uplink.identity = gateway
        }
        let configuration = BridgeConfiguration(uplink: uplink, auth: auth, routes: routes, unrouted: unrouted)
        let device = RouteTrial.Device(clientID: clientID, username: username, listener: "main", peer: "192.0.2.7")
        return try RouteTrial(configuration, device) { "mqb-made" }
    }

    @Test func aPasswordThatTheDeviceCannotHaveIsARefusal() throws {
        let auth = AuthConfiguration(mode: .inject, identity: .init(password: Secret("s")))
        #expect(throws: RouteTrial.Refused.self) { try Self.trial(auth: auth, username: nil) }
        #expect(try Self.trial(auth: auth, username: "anna").identity.username == "anna")
    }

    @Test func aMessageTakesItsRouteWithItsLimits() throws {
        let verdict = try Self.trial().publish("telemetry/temp")
        let back = RouteVerdict.Back(
            remote: "device/anna/telemetry/temp", local: nil, route: nil, stripsRetain: false, isExpected: false)
        let way = RouteVerdict.Way(
            remote: "device/anna/telemetry/temp", route: 0, qosLimit: 1, stripsRetain: true, back: back)
        #expect(verdict == RouteVerdict(outcome: .forwarded, ways: [way]))
    }

    @Test func aRouteOfBothDirectionsBringsTheTopicBack() throws {
        let way = try #require(try Self.trial().publish("rooms/7/lamp").ways.first)
        #expect(way.remote == "site/lamps/7" && way.route == 2 && way.qosLimit == 2 && !way.stripsRetain)
        #expect(
            way.back
                == RouteVerdict.Back(
                    remote: "site/lamps/7", local: "rooms/7/lamp", route: 2, stripsRetain: false, isExpected: true))
    }

    @Test func theDelayStaysInFrontAndDoesNotComeBack() throws {
        let way = try #require(try Self.trial().publish("$delayed/5/rooms/7/lamp").ways.first)
        #expect(way.remote == "$delayed/5/site/lamps/7")
        #expect(way.back.remote == "site/lamps/7" && way.back.local == "rooms/7/lamp" && way.back.isExpected)
    }

    @Test func whatNoRouteMatchesIsRefusedAndTheDeviceIsTold() throws {
        let verdict = try Self.trial().publish("commands/on")
        #expect(verdict.outcome == .rejected && verdict.ways.isEmpty)
        #expect(verdict.reason == "no route that goes up matches the topic, and unrouted is reject")
        #expect(verdict.otherDirection == [1])
        #expect(
            verdict.answers.map { "\($0.version) \($0.qos ?? -1): \($0.text)" } == [
                "3.1.1 0: the connection is closed", "3.1.1 1: the connection is closed",
                "3.1.1 2: the connection is closed", "5.0 0: the connection is closed",
                "5.0 1: PUBACK 0x87, not authorized", "5.0 2: PUBREC 0x87, not authorized",
            ])
    }

    @Test func whatIsDroppedIsAcknowledged() throws {
        let verdict = try Self.trial(unrouted: .drop).publish("other")
        #expect(verdict.outcome == .dropped && verdict.otherDirection.isEmpty)
        #expect(verdict.answers.first { $0.qos == 0 }?.text == "nothing, as at QoS 0")
        #expect(verdict.answers.first { $0.qos == 1 }?.text == "PUBACK as if it had gone to the broker")
        let filter = try Self.trial(unrouted: .drop).subscribe("other/#")
        #expect(filter.outcome == .dropped)
        #expect(filter.answers.map(\.text) == Array(repeating: "SUBACK as if it had gone to the broker", count: 2))
    }

    @Test(arguments: [[], RouteTrialTests.routes])
    func whatPassesIsUnchanged(routes: [Route]) throws {
        let trial = try Self.trial(routes, unrouted: .pass)
        let way = try #require(try trial.publish("other").ways.first)
        #expect(way.remote == "other" && way.route == nil && way.back.local == "other" && way.back.isExpected)
        let filter = try #require(try trial.subscribe("other/#").ways.first)
        #expect(filter.remote == "other/#" && filter.route == nil && filter.back.local == "other/x")
    }

    @Test func aFilterBecomesOneForEachRoute() throws {
        let verdict = try Self.trial().subscribe("#")
        #expect(verdict.ways.map(\.remote) == ["device/d1/commands/#", "site/lamps/+"])
        #expect(verdict.ways.map(\.route) == [1, 2] && verdict.ways.map(\.qosLimit) == [1, 2])
        #expect(verdict.ways.map(\.back.remote) == ["device/d1/commands/x", "site/lamps/x"])
        #expect(verdict.ways.map(\.back.local) == ["commands/x", "rooms/x/lamp"])
        #expect(verdict.ways.map(\.back.stripsRetain) == [true, false])
        #expect(verdict.ways.map(\.back.isExpected) == [true, true])
    }

    @Test func aSharedFilterKeepsItsMarker() throws {
        let way = try #require(try Self.trial().subscribe("$share/g/commands/+").ways.first)
        #expect(way.remote == "$share/g/device/d1/commands/+" && way.back.remote == "device/d1/commands/x")
        #expect(way.back.local == "commands/x" && way.back.isExpected)
    }

    @Test func aRefusedFilterSaysSoInEachVersion() throws {
        let verdict = try Self.trial().subscribe("telemetry/#")
        #expect(verdict.outcome == .rejected && verdict.otherDirection == [0])
        #expect(verdict.answers.map(\.text) == ["SUBACK 0x80, unspecified error", "SUBACK 0x87, not authorized"])
    }

    @Test func aMessageThatComesBackOnAnotherTopicIsShown() throws {
        let routes = [
            Route(local: "s/x", remote: "r/x", direction: .down), Route(local: "t/#", remote: "r/#", direction: .down),
        ]
        let way = try #require(try Self.trial(routes).subscribe("t/x").ways.first)
        #expect(way.remote == "r/x" && way.route == 1)
        #expect(way.back.local == "s/x" && way.back.route == 0 && !way.back.isExpected)
    }

    @Test func aTopicThatBecomesTooLongIsRefused() throws {
        let routes = [Route(local: "#", remote: "\(String(repeating: "r", count: 60_000))/#")]
        let topic = String(repeating: "t", count: 6_000)
        let verdict = try Self.trial(routes).publish(topic)
        #expect(verdict.outcome == .rejected && verdict.reason == "the topic is too long once it is routed")
        #expect(try Self.trial(routes).subscribe(topic).reason == "the filter is too long once it is routed")
    }

    // MARK: - Identity

    @Test func theIdentityOfTheOperatorFillsTheRoutes() throws {
        let auth = AuthConfiguration(
            mode: .inject, identity: .init(clientID: "gw-${clientid}", username: "${listener}"),
            overrides: [.init(match: .username("otto"), identity: .init(username: "special"))])
        let trial = try Self.trial(auth: auth)
        #expect(trial.identity == .init(clientID: "gw-d1", username: "main", source: .configured))
        #expect(trial.table.map(\.remote)[..<2] == ["device/main/telemetry/#", "device/gw-d1/commands/#"])
        let otto = try Self.trial(auth: auth, username: "otto")
        #expect(otto.identity == .init(clientID: "d1", username: "special", source: .usernameOverride))
        #expect(
            try Self.trial().identity == .init(clientID: "d1", username: "anna", source: .device))
    }

    @Test func aDeviceWithoutClientIDGetsOneIfARouteNeedsIt() throws {
        #expect(try Self.trial(clientID: "").identity.assignedClientID == "mqb-made")
        #expect(try Self.trial([], clientID: "").identity == .init(clientID: "", username: "anna", source: .device))
    }

    @Test(arguments: [("d/1", "anna", "${clientid}"), ("d1", nil, "${username}")])
    func aDeviceWhoseValuesDoNotFitIsRefused(clientID: String, username: String?, variable: String) {
        let error = #expect(throws: RouteTrial.Refused.self) {
            try Self.trial(clientID: clientID, username: username)
        }
        #expect(error?.description.contains(variable) == true)
    }

    @Test func theGatewayIsWhatTheBrokerSees() throws {
        let gateway = GatewayIdentity(clientID: "gw", username: "plant")
        let auth = AuthConfiguration(mode: .local, usersFile: "users")
        let trial = try Self.trial(auth: auth, gateway: gateway)
        #expect(trial.identity == .init(clientID: "gw-1", username: "plant", source: .gateway))
        #expect(try trial.publish("telemetry/x").ways.map(\.remote) == ["device/anna/telemetry/x"])
        let error = #expect(throws: RouteTrial.Refused.self) {
            try Self.trial(auth: auth, gateway: gateway, username: nil)
        }
        #expect(error?.description == "the device has no user name, and needs one (auth.anonymous)")
    }

    @Test func whatNoDeviceMayWriteIsSaid() {
        #expect(RouteTrial.problem(publishing: "a/#")?.contains("wildcard") == true)
        #expect(RouteTrial.problem(publishing: "")?.contains("empty") == true)
        #expect(RouteTrial.problem(publishing: "a\0")?.contains("U+0000") == true)
        #expect(RouteTrial.problem(publishing: String(repeating: "a", count: 65_536))?.contains("65535") == true)
        #expect(RouteTrial.problem(subscribing: "a/#/b") != nil)
        #expect(RouteTrial.problem(publishing: "a/b") == nil && RouteTrial.problem(subscribing: "a/+/#") == nil)
    }
}
