import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// Sessions of devices that get the identity of a bundle.
struct SessionBundleTests {
    private static let auth = AuthConfiguration(mode: .bundles, bundlesFolder: "bundles")

    private static func live(_ password: String = "secret") -> LiveBundles {
        var book = BundleBook()
        _ = book.add("dev", .password(Secret(password)))
        return LiveBundles(book)
    }

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0])
    func theBrokerSeesTheBundle(version: MQTTVersion) throws {
        var bench = try SessionBench(version, auth: Self.auth, bundles: Self.live())
        _ = try bench.device(bench.connect { $0.keepAlive = 17 })
        let sent = try #require(bench.session.uplinkReady().toUplink.first)
        let connect = try Connect.decode(Frame(packet: sent, version: version))
        #expect(connect.clientID == "dev" && connect.username == "dev")
        #expect(connect.password == ByteBuffer(string: "secret"))
        #expect(connect.keepAlive == 17)
    }

    /// It has to use that client id from then on [MQTT-3.2.2-16].
    @Test func aDeviceWithoutAClientIDLearnsTheOneOfItsBundle() throws {
        var bench = try SessionBench(.v5_0, auth: Self.auth, bundles: Self.live())
        _ = try bench.device(
            bench.connect {
                $0.clientID = ""
                $0.username = "dev"
            })
        _ = bench.session.uplinkReady()
        let actions = try bench.broker(.connack(Connack(sessionPresent: false, code: 0)))
        let sent = try #require(actions.toDevice.first)
        let connack = try Connack.decode(Frame(packet: sent, version: .v5_0), version: .v5_0)
        #expect(connack.properties.assignedClientIdentifier == "dev")
    }

    @Test(arguments: [(MQTTVersion.v3_1, UInt8(5)), (.v3_1_1, 5), (.v5_0, 0x87)])
    func aDeviceWithoutABundleIsRefused(version: MQTTVersion, code: UInt8) throws {
        var bench = try SessionBench(version, auth: Self.auth, bundles: Self.live())
        let actions = try bench.device(bench.connect { $0.clientID = "stranger" })
        let connack = try #require(actions.toDevice.first)
        #expect(try Connack.decode(Frame(packet: connack, version: version), version: version).code == code)
        #expect(actions.closesDevice && !actions.opensUplink)
        #expect(bench.session.isOver)
        #expect("\(actions.end.map { "\($0)" } ?? "")".contains(#"client id "stranger": there is no bundle"#))
    }

    /// Whether it has a bundle can't be known.
    @Test func anUnreadableConnectIsRefused() throws {
        var bench = try SessionBench(.v3_1_1, auth: Self.auth, bundles: Self.live())
        let frame = try Frame(
            packet: ByteBuffer(bytes: [0x10, 12, 0, 4] + Array("MQTT".utf8) + [4, 2, 0, 60, 0, 9]), version: .v3_1_1)
        let actions = bench.session.deviceSent(.packet(frame))
        #expect(actions.end != nil && !actions.opensUplink)
    }

    /// The same bundles, with another password or without the bundle, are no reason to disconnect the device; being
    /// let in without bundles is another identity.
    @Test func whatAReloadChanges() throws {
        let live = Self.live()
        var bench = try SessionBench(.v5_0, auth: Self.auth, bundles: live)
        let actions = try bench.device(bench.connect())
        let identity = try #require(actions.identity)
        _ = bench.session.uplinkReady()
        _ = try bench.broker(.connack(Connack(sessionPresent: false, code: 0)))
        func change(_ auth: AuthConfiguration) throws -> RulesChange? {
            let rules = SessionRules(
                routes: try RoutingTable(routes: [], unrouted: .reject),
                identities: try IdentityMapper(auth, bundles: live))
            return bench.session.change(under: rules, of: identity)
        }
        #expect(try change(Self.auth) == nil)
        live.adopt(Self.live("new password").current)
        #expect(try change(Self.auth) == nil)
        #expect(try change(AuthConfiguration()) == .identity)
        var mapped = Self.auth
        mapped.bundleMap = [.init(clientID: "dev", deviceID: "another")]
        #expect(try change(mapped) == .identity)
        live.adopt(BundleBook())
        #expect(try change(Self.auth) == nil)
    }

    /// A device that brings a password is not concerned when bundles are switched on.
    @Test func switchingOnConcernsDevicesWithoutAPassword() throws {
        for (password, expected) in [(ByteBuffer(string: "own"), nil), (nil, RulesChange.identity)] {
            var bench = try SessionBench(.v5_0)
            let actions = try bench.device(
                bench.connect {
                    $0.username = "u"
                    $0.password = password
                })
            let identity = try #require(actions.identity)
            _ = bench.session.uplinkReady()
            _ = try bench.broker(.connack(Connack(sessionPresent: false, code: 0)))
            let rules = SessionRules(
                routes: try RoutingTable(routes: [], unrouted: .reject),
                identities: try IdentityMapper(Self.auth, bundles: Self.live()))
            #expect(bench.session.change(under: rules, of: identity) == expected)
        }
    }
}

extension [SessionAction] {
    fileprivate var identity: SessionIdentity? {
        lazy.compactMap { if case .identified(let identity) = $0 { identity } else { nil } }.first
    }
}
