import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What becomes of a device when the operator's rules change.
struct SessionRulesTests {
    private static func rules(
        _ routes: [Route] = [], unrouted: UnroutedPolicy = .reject, _ auth: AuthConfiguration = AuthConfiguration()
    ) throws -> SessionRules {
        SessionRules(
            routes: try RoutingTable(routes: routes, unrouted: unrouted), identities: try IdentityMapper(auth))
    }

    private static let own = Route(local: "t/#", remote: "device/${clientid}/t/#")
    private static let inject = AuthConfiguration(
        mode: .inject, identity: AuthConfiguration.IdentityTemplate(username: "u-${clientid}", password: Secret("s")))

    private static func bench(_ routes: [Route] = [own], _ auth: AuthConfiguration = .init()) throws -> SessionBench {
        var bench = try SessionBench(.v5_0, routes: routes, auth: auth)
        try bench.establish()
        return bench
    }

    private static func change(
        _ bench: SessionBench, _ rules: SessionRules, _ identity: SessionIdentity? = nil
    ) -> RulesChange? {
        bench.session.change(
            under: rules, of: identity ?? SessionIdentity(clientID: "dev", username: nil, version: .v5_0))
    }

    @Test func theSameRulesChangeNothing() throws {
        #expect(Self.change(try Self.bench(), try Self.rules([Self.own])) == nil)
        #expect(Self.change(try Self.bench([]), try Self.rules()) == nil)
    }

    /// Only what a rule comes to for this device matters.
    @Test func otherWordsForTheSameTopicsChangeNothing() throws {
        let fixed = Route(local: "t/#", remote: "device/dev/t/#")
        #expect(Self.change(try Self.bench(), try Self.rules([fixed])) == nil)
        let other = SessionIdentity(clientID: "other", username: nil, version: .v5_0)
        var bench = try SessionBench(.v5_0, routes: [Self.own])
        try bench.establish { $0.clientID = "other" }
        #expect(Self.change(bench, try Self.rules([fixed]), other) == .topics)
    }

    @Test func otherTopicsAreAChange() throws {
        let moved = Route(local: "t/#", remote: "elsewhere/t/#")
        #expect(Self.change(try Self.bench(), try Self.rules([moved])) == .topics)
        #expect(Self.change(try Self.bench(), try Self.rules([Self.own], unrouted: .drop)) == .topics)
        #expect(Self.change(try Self.bench(), try Self.rules()) == .topics)
        // A route that this device can't have.
        let user = Route(local: "t/#", remote: "user/${username}/t/#")
        #expect(Self.change(try Self.bench(), try Self.rules([user])) == .topics)
    }

    @Test func anotherIdentityIsAChange() throws {
        #expect(Self.change(try Self.bench(), try Self.rules([Self.own], Self.inject)) == .identity)
        let mapped = SessionIdentity(
            clientID: "dev", username: "u-dev", version: .v5_0, own: OwnIdentity(clientID: "dev", username: nil))
        let bench = try Self.bench([Self.own], Self.inject)
        #expect(Self.change(bench, try Self.rules([Self.own], Self.inject), mapped) == nil)
        var password = Self.inject
        password.identity.password = Secret("other")
        #expect(Self.change(bench, try Self.rules([Self.own], password), mapped) == .identity)
        #expect(Self.change(bench, try Self.rules([Self.own]), mapped) == .identity)
    }

    @Test func anOverrideConcernsItsDeviceOnly() throws {
        var auth = AuthConfiguration()
        auth.mode = .inject
        auth.overrides = [.init(match: .clientID("other"), identity: .init(username: "someone"))]
        #expect(Self.change(try Self.bench(), try Self.rules([Self.own], auth)) == nil)
        auth.overrides = [.init(match: .clientID("dev"), identity: .init(username: "someone"))]
        #expect(Self.change(try Self.bench(), try Self.rules([Self.own], auth)) == .identity)
    }

    /// A device that has not sent CONNECT yet is let in under the new rules.
    @Test func aDeviceThatHasNotConnectedTakesThem() throws {
        var bench = try SessionBench(.v5_0)
        #expect(bench.session.change(under: try Self.rules([Self.own]), of: nil) == nil)
        bench.session.adopt(try Self.rules([Self.own]))
        try bench.establish()
        let publish = Packet.publish(PublishHead(qos: .atMostOnce, topic: "t/x"), payload: ByteBuffer(string: "x"))
        #expect(try bench.device(publish).toUplink.first.map { String(buffer: $0).contains("device/dev/t/x") } == true)
        // One that is let in keeps its own.
        bench.session.adopt(try Self.rules())
        #expect(try bench.device(publish).toUplink.first.map { String(buffer: $0).contains("device/dev/t/x") } == true)
    }

    @Test func nothingElseChangesForIt() throws {
        let rules = try Self.rules([Self.own])
        let context = SessionContext(
            routes: rules.routes, identities: rules.identities, maximumPacketSize: 1, connectWithin: .seconds(2),
            connectTimeout: .seconds(3), listener: "l", peer: "p", makeClientID: { "id" }, idleTimeout: .seconds(600),
            overLimit: "full")
        let changed = context.with(try Self.rules())
        #expect(changed.idleTimeout == .seconds(600) && changed.connectTimeout == .seconds(3))
        #expect(changed.peer == "p" && changed.overLimit == "full")
    }

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func theDeviceIsToldWhyItHasToComeAgain(version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        try bench.establish()
        let actions = bench.session.rulesChanged(.topics)
        #expect(actions.end == .rulesChanged(.topics) && actions.closesDevice && actions.finishesUplink)
        let said = try actions.toDevice.map {
            try Disconnect.decode(try Frame(packet: $0, version: version), version: version).reasonCode
        }
        #expect(said == (version == .v5_0 ? [0x98] : []))
        // The broker gets a DISCONNECT, so that the will is not published: the device will be back.
        #expect(try bench.toBroker(actions) == [.disconnect])
    }
}

extension SessionBench {
    fileprivate func toBroker(_ actions: [SessionAction]) throws -> [PacketType] {
        try actions.toUplink.map { try Frame(packet: $0, version: version).type }
    }
}
