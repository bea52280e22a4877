import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What templates make of a device that did not send what they name.
struct SessionTemplateTests {
    private static let made = "mqb0123456789abcdef"

    private static func bench(
        _ identity: AuthConfiguration.IdentityTemplate, _ version: MQTTVersion = .v5_0, routes: [Route] = [],
        overrides: [AuthConfiguration.Override] = []
    ) throws -> SessionBench {
        try SessionBench(
            version, routes: routes, auth: AuthConfiguration(mode: .inject, identity: identity, overrides: overrides))
    }

    /// The CONNECT that the broker sees, and the client id that the device is told.
    private static func connected(
        _ bench: SessionBench, clientID: String = "", username: String? = nil
    ) throws -> (connect: Connect, told: String?) {
        var bench = bench
        _ = try bench.device(
            bench.connect {
                $0.clientID = clientID
                $0.username = username
            })
        let version = bench.version
        let frame = try Frame(packet: try #require(bench.session.uplinkReady().toUplink.first), version: version)
        let answer = try bench.broker(.connack(Connack(sessionPresent: false, code: 0))).toDevice.first
        let connack = try Connack.decode(try Frame(packet: try #require(answer), version: version), version: version)
        return (try Connect.decode(frame), connack.properties.assignedClientIdentifier)
    }

    // MARK: Client id

    @Test func aTemplateThatNamesTheClientIDGetsOneOfItsOwn() throws {
        let (connect, told) = try Self.connected(Self.bench(.init(clientID: "gw-${clientid}")))
        #expect(connect.clientID == "gw-\(Self.made)" && told == "gw-\(Self.made)")
        let (own, nothing) = try Self.connected(Self.bench(.init(clientID: "gw-${clientid}")), clientID: "dev")
        #expect(own.clientID == "gw-dev" && nothing == nil)
    }

    @Test func aUserNameThatNamesTheClientIDHasTheOneThatTheBrokerSees() throws {
        let (connect, told) = try Self.connected(Self.bench(.init(username: "u-${clientid}")))
        #expect(connect.clientID == Self.made && connect.username == "u-\(Self.made)" && told == Self.made)
    }

    @Test func aTemplateThatDoesNotNameItLeavesItToTheBroker() throws {
        let (connect, told) = try Self.connected(Self.bench(.init(username: "site")))
        #expect(connect.clientID.isEmpty && told == nil)
        let (fixed, name) = try Self.connected(Self.bench(.init(clientID: "gw")))
        #expect(fixed.clientID == "gw" && name == "gw")
    }

    @Test func theRoutesHaveTheSameClientID() throws {
        let routes = [Route(local: "#", remote: "d/${clientid}/#")]
        var bench = try Self.bench(.init(clientID: "gw-${clientid}"), routes: routes)
        try bench.establish { $0.clientID = "" }
        let publish = Packet.publish(PublishHead(qos: .atMostOnce, topic: "x"), payload: ByteBuffer(string: "1"))
        let sent = try #require(try bench.device(publish).toUplink.first)
        #expect(String(buffer: sent).contains("d/gw-\(Self.made)/x"))
    }

    /// Only the templates that are applied to the device count.
    @Test func anOverrideThatDoesNotNameItLeavesItToTheBroker() throws {
        let override = AuthConfiguration.Override(match: .username("anna"), identity: .init(username: "site"))
        let bench = try Self.bench(.init(clientID: "gw-${clientid}"), overrides: [override])
        #expect(try Self.connected(bench, username: "anna").connect.clientID.isEmpty)
        #expect(try Self.connected(bench, username: "bob").connect.clientID == "gw-\(Self.made)")
    }

    // MARK: User name

    @Test(arguments: MQTTVersion.allCases)
    func aUserNameThatTheDeviceDidNotSendStaysAbsent(version: MQTTVersion) throws {
        let bench = try Self.bench(.init(username: "${username}"), version)
        #expect(try Self.connected(bench, clientID: "dev").connect.username == nil)
        #expect(try Self.connected(bench, clientID: "dev", username: "").connect.username == "")
        #expect(try Self.connected(bench, clientID: "dev", username: "anna").connect.username == "anna")
        let text = try Self.bench(.init(username: "u-${username}"), version)
        #expect(try Self.connected(text, clientID: "dev").connect.username == "u-")
    }

    /// 3.1 and 3.1.1 have no password without a user name.
    @Test func aPasswordKeepsTheUserNameThatItNeeds() throws {
        let bench = try Self.bench(.init(username: "${username}", password: Secret("s")), .v3_1_1)
        let (connect, _) = try Self.connected(bench, clientID: "dev")
        #expect(connect.username == "" && connect.password == ByteBuffer(string: "s"))
    }

    /// The broker is not "unavailable": the device can never be let in like that.
    @Test(arguments: [(.v3_1, 5), (.v3_1_1, 5), (.v5_0, nil)] as [(MQTTVersion, UInt8?)])
    func aPasswordWithoutAUserName(version: MQTTVersion, code: UInt8?) throws {
        var bench = try Self.bench(.init(password: Secret("s")), version)
        let actions = try bench.device(bench.connect())
        guard let code else {
            #expect(actions.opensUplink)
            return
        }
        let frame = try Frame(packet: try #require(actions.toDevice.first), version: version)
        #expect(try Connack.decode(frame, version: version).code == code)
        guard case .notAllowed(let why)? = actions.end else {
            Issue.record("not refused: \(actions)")
            return
        }
        #expect(why.hasPrefix("the device has no user name, and \(version) has no password without one"))
        var named = try Self.bench(.init(password: Secret("s")), version)
        #expect(try named.device(named.connect { $0.username = "anna" }).opensUplink)
    }
}
