import MQTTCodec
import Testing

@testable import BridgeCore

@Suite struct PlatformTopicsTests {
    @Test(
        arguments: [
            ("device/d1/telemetry", nil), ("device/d1/telemetry/room/1", nil), ("devices/d1/telemetry", nil),
            ("device/d1/status", nil), ("device/d1/commands/csr", nil), ("device/d1", nil), ("device/d1/", nil),
            ("device/c1/events/x", nil), ("devices/c1/metrics", nil),
            ("device", nil), ("other/d2/data", nil), ("Device/d2/data", nil), ("/device/d2/data", nil),
            ("device/d1/Heartbeat", nil), ("device/d1/data2", nil), ("device/d1/telemetry/data", nil),
            ("device/d1/heartbeat", .deniedKind), ("devices/d1/heartbeat", .deniedKind),
            ("device/d1/data", .deniedKind),
            ("device/c1/data/deep/er", .deniedKind), ("$delayed/5/device/d1/data", .deniedKind),
            ("devices/d1/telemetry/x", .neverIngested), ("devices/d1/telemetry/", .neverIngested),
            ("device/d2/telemetry", .anotherDevice), ("devices/d2", .anotherDevice),
            ("device/d1x/status", .anotherDevice),
            ("device//telemetry", .anotherDevice), ("device/", .anotherDevice), ("device/D1/status", .anotherDevice),
            ("device/d2/heartbeat", .anotherDevice),
        ] as [(String, PlatformFinding?)])
    func judges(_ topic: String, _ finding: PlatformFinding?) {
        let topics = PlatformTopics(clientID: "c1", username: "d1")
        #expect(topics.finding(publishing: topic) == finding)
    }

    @Test(
        arguments: [
            ("device/d1/commands/#", nil), ("device/c1/#", nil), ("devices/d1/+", nil), ("device/d1/data", nil),
            ("device", nil), ("+", nil), ("+/d2", nil), ("other/#", nil), ("$SYS/#", nil),
            ("$share/g/device/d1/config", nil),
            ("device/d2/commands/#", .deniedFilter), ("devices/d2", .deniedFilter),
            ("device/+/commands/#", .deniedFilter),
            ("device/#", .deniedFilter), ("#", .deniedFilter), ("+/#", .deniedFilter), ("+/+/commands", .deniedFilter),
            ("$share/g/device/d2/config", .deniedFilter), ("device//x", .deniedFilter),
        ] as [(String, PlatformFinding?)])
    func judgesFilters(_ filter: String, _ finding: PlatformFinding?) {
        let topics = PlatformTopics(clientID: "c1", username: "d1")
        #expect(topics.finding(subscribing: filter) == finding)
    }

    @Test func aDeviceWithoutAnyIdIsJudgedByKindOnly() {
        let topics = PlatformTopics(clientID: "", username: "")
        #expect(topics.finding(publishing: "device/x/telemetry") == nil)
        #expect(topics.finding(publishing: "device/x/data") == .deniedKind)
    }

    @Test func anEmptyUserNameIsNoId() {
        let topics = PlatformTopics(clientID: "c1", username: "")
        #expect(topics.finding(publishing: "device//status") == .anotherDevice)
    }

    // MARK: - In the router

    private static func harness(
        _ version: MQTTVersion, routes: [Route] = TESAIoT.routes, platform: Platform? = .tesaiot
    ) throws -> (RoutingHarness, RouteTally) {
        var harness = try RoutingHarness(version, .reject)
        let table = try RoutingTable(routes: routes, unrouted: .reject, platform: platform).counted()
        let variables = RouteVariables(clientID: "d1", username: "d1")
        harness.router = PacketRouter(routes: try table.resolved(with: variables), version: version)
        harness.router.brokerAliasMaximum = 10
        harness.router.deviceAliasMaximum = 10
        return (harness, try #require(table.tally))
    }

    private static let own = [Route(local: "up/#", remote: "device/#", direction: .up)]

    @Test(arguments: [own, []])
    func a50DeviceIsToldIfTheQoSHasAnAnswer(_ routes: [Route]) throws {
        var (device, tally) = try Self.harness(.v5_0, routes: routes)
        let topic = routes.isEmpty ? "device/d2/telemetry" : "up/d2/telemetry"
        #expect(try device.device(.publish(topic)) == .nothing)
        #expect(try device.device(.publish(topic, qos: .atLeastOnce, id: 1)) == .reply(.puback(1, .notAuthorized)))
        #expect(try device.device(.publish(topic, qos: .exactlyOnce, id: 2)) == .reply(.pubrec(2, .notAuthorized)))
        #expect(tally.totals[.anotherDevice] == 3)
        #expect(device.router.counters.rejectedUp == 2 && device.router.counters.droppedUp == 1)
    }

    @Test func a311DeviceGetsTheAnswersItExpects() throws {
        var (device, tally) = try Self.harness(.v3_1_1, routes: [])
        #expect(try device.device(.publish("device/d1/data")) == .nothing)
        #expect(try device.device(.publish("device/d1/data", qos: .atLeastOnce, id: 1)) == .reply(.puback(1)))
        #expect(try device.device(.publish("device/d1/data", qos: .exactlyOnce, id: 2)) == .reply(.pubrec(2)))
        #expect(try device.device(.pubrel(2)) == .reply(.pubcomp(2)))
        #expect(tally.totals[.deniedKind] == 3 && tally.totals[.anotherDevice] == 0)
    }

    @Test func whatIsNeverIngestedPassesAndCounts() throws {
        var (device, tally) = try Self.harness(.v5_0, routes: [])
        let message = Packet.publish("devices/d1/telemetry/x", qos: .atLeastOnce, id: 1)
        #expect(try device.device(message) == .unchanged(message))
        #expect(tally.totals[.neverIngested] == 1)
    }

    /// Without routes the platform's rules change nothing else.
    @Test(
        arguments: [
            .publish("device/d1/telemetry"), .publish("anything"), .subscribe(1, ("device/d1/#", .atMostOnce)),
            .unsubscribe(2, "a/+"), .unsubscribe(3, "device/d2/#"), .pubrel(7),
        ] as [Packet])
    func theRestPassesUnchanged(_ packet: Packet) throws {
        var (device, _) = try Self.harness(.v5_0, routes: [])
        #expect(try device.device(packet) == .unchanged(packet))
        #expect(!device.router.passesEverything)
    }

    @Test(arguments: [(MQTTVersion.v3_1, UInt8(1)), (.v3_1_1, 0x80), (.v5_0, 0x87)])
    func aFilterForOtherDevicesIsKeptBack(_ version: MQTTVersion, _ code: UInt8) throws {
        var (device, tally) = try Self.harness(version, routes: [])
        let mixed = Packet.subscribe(
            3, ("device/d1/config", .exactlyOnce), ("device/d2/#", .atLeastOnce), ("device/d1/commands/#", .atMostOnce))
        let rest = Packet.subscribe(3, ("device/d1/config", .exactlyOnce), ("device/d1/commands/#", .atMostOnce))
        #expect(try device.device(mixed) == .forward(rest))
        #expect(try device.broker(.suback(3, [2, 0])) == .forward(.suback(3, [2, code, 0])))
        // Nothing is left for the broker.
        #expect(try device.device(.subscribe(4, ("#", .atLeastOnce))) == .reply(.suback(4, [code])))
        #expect(tally.totals[.deniedFilter] == 2 && device.router.counters.rejectedFilters == 2)
        #expect(
            device.router.notices.takeNew() == [PlatformNotice(finding: .deniedFilter, topic: "device/d2/#")])
        let answer = Packet.suback(5, [1])
        #expect(try device.broker(answer) == .unchanged(answer))
    }

    /// A filter that several routes share loses only the part that would be denied.
    @Test func onlyTheDeniedPartOfARoutedFilterIsKeptBack() throws {
        let routes = [
            Route(local: "in/a/#", remote: "device/${username}/config/#", direction: .down),
            Route(local: "in/b/#", remote: "device/d2/config/#", direction: .down),
        ]
        var (device, tally) = try Self.harness(.v5_0, routes: routes)
        let mapped = Packet.subscribe(1, ("device/d1/config/#", .atLeastOnce))
        #expect(try device.device(.subscribe(1, ("in/#", .atLeastOnce))) == .forward(mapped))
        #expect(tally.totals[.deniedFilter] == 1)
    }

    @Test func aLongTopicIsNotKept() throws {
        var (device, _) = try Self.harness(.v5_0, routes: [])
        _ = try device.device(.publish("device/d1/data/" + String(repeating: "x", count: 60_000)))
        let notice = try #require(device.router.notices.takeNew().first)
        #expect(notice.topic.utf8.count < 300 && notice.topic.hasSuffix("x..."))
    }

    @Test func deliveriesPassUnread() throws {
        var (device, _) = try Self.harness(.v5_0, routes: [])
        let message = Packet.publish("device/d2/data", qos: .atLeastOnce, id: 1)
        #expect(try device.broker(message) == .unchanged(message))
    }

    @Test func withoutAPlatformNothingIsKeptBack() throws {
        var (device, tally) = try Self.harness(.v5_0, routes: [], platform: nil)
        let message = Packet.publish("device/d2/data")
        #expect(try device.device(message) == .unchanged(message))
        #expect(device.router.passesEverything)
        #expect(PlatformFinding.allCases.allSatisfy { tally.totals[$0] == 0 })
    }

    @Test func anAliasOfADeniedTopicIsDenied() throws {
        var (device, tally) = try Self.harness(.v5_0, routes: [])
        _ = try device.device(.publish("device/d1/data", qos: .atLeastOnce, id: 1, [.topicAlias(3)]))
        let byAlias = Packet.publish("", qos: .atLeastOnce, id: 2, [.topicAlias(3)])
        #expect(try device.device(byAlias) == .reply(.puback(2, .notAuthorized)))
        #expect(tally.totals[.deniedKind] == 2)
        // The alias can be given another topic.
        let again = Packet.publish("device/d1/status", qos: .atLeastOnce, id: 3, [.topicAlias(3)])
        #expect(try device.device(again) == .unchanged(again))
        #expect(try device.device(byAlias) == .unchanged(byAlias))
    }

    @Test func theOperatorIsToldOncePerFinding() throws {
        var (device, _) = try Self.harness(.v5_0, routes: [])
        for topic in ["device/d1/data", "device/d1/heartbeat", "device/d9/data", "device/d1/status"] {
            _ = try device.device(.publish(topic))
        }
        let first = device.router.notices.takeNew()
        #expect(
            first == [
                PlatformNotice(finding: .deniedKind, topic: "device/d1/data"),
                PlatformNotice(finding: .anotherDevice, topic: "device/d9/data"),
            ])
        _ = try device.device(.publish("device/d1/data"))
        #expect(!device.router.notices.hasNew)
        _ = try device.device(.publish("devices/d1/telemetry/x"))
        #expect(device.router.notices.takeNew().map(\.finding) == [.neverIngested])
    }

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func aWillThatWouldBeDeniedIsLeftOut(_ version: MQTTVersion) throws {
        var (device, tally) = try Self.harness(version, routes: [])
        var connect = Connect(version: version, clientID: "d1")
        connect.will = Will(topic: "device/d1/heartbeat", payload: .init(string: "gone"))
        #expect(device.router.rewriteConnect(&connect) == nil)
        #expect(connect.will == nil && tally.totals[.deniedKind] == 1 && device.router.notices.hasNew)
    }

    // MARK: - Routes

    @Test(
        arguments: [
            ("device/${username}/telemetry/#", nil, nil), ("device/${clientid}/status/#", nil, nil),
            ("device/#", nil, nil),
            ("device/+/data/#", nil, PlatformAudit(index: 0, finding: .deniedKind, isPartial: false)),
            ("device/${username}/heartbeat/#", nil, PlatformAudit(index: 0, finding: .deniedKind, isPartial: false)),
            (
                "devices/${username}/telemetry/#", nil,
                PlatformAudit(index: 0, finding: .neverIngested, isPartial: false)
            ),
            ("device/fixed/status/#", nil, PlatformAudit(index: 0, finding: .anotherDevice, isPartial: true)),
            ("device/fixed/status/#", ["d1", "fixed"], nil),
            (
                "device/fixed/status/#", ["d1", "c1"],
                PlatformAudit(index: 0, finding: .anotherDevice, isPartial: false)
            ),
            ("device/x-${username}/status/#", nil, nil), ("site/fixed/data/#", nil, nil),
        ] as [(String, [String]?, PlatformAudit?)])
    func judgesRoutes(_ remote: String, _ deviceIDs: [String]?, _ expected: PlatformAudit?) {
        let routes = [Route(local: "a/#", remote: remote, direction: .up)]
        #expect(PlatformAudit.findings(routes, deviceIDs: deviceIDs) == (expected.map { [$0] } ?? []))
        let down = [Route(local: "a/#", remote: remote, direction: .down)]
        let isForeign = expected?.finding == .anotherDevice
        let filter = PlatformAudit(index: 0, finding: .deniedFilter, isPartial: expected?.isPartial ?? false)
        #expect(PlatformAudit.findings(down, deviceIDs: deviceIDs) == (isForeign ? [filter] : []))
    }

    @Test func theProfilesOwnRoutesAreFine() {
        #expect(PlatformAudit.findings(TESAIoT.routes, deviceIDs: nil).isEmpty)
    }
}
