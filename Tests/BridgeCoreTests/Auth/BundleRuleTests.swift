import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// Which device appears at the broker with which bundle.
struct BundleRuleTests {
    private static let secret = Secret("from the bundle")

    private static func live() -> LiveBundles {
        var book = BundleBook()
        _ = book.add("dev-1", .password(secret))
        _ = book.add("dev-2", .password(Secret("other")))
        _ = book.add("dev-3", .unusable("still has the placeholder <password> for a password"))
        return LiveBundles(book)
    }

    private static func auth(_ passwords: AuthConfiguration.DevicePasswords = .pass) -> AuthConfiguration {
        AuthConfiguration(
            mode: .bundles, bundlesFolder: "bundles",
            bundleMap: [
                .init(clientID: "pump", deviceID: "dev-1"), .init(clientID: "dev-2", deviceID: "dev-1"),
                .init(clientID: "lost", deviceID: "dev-9"),
            ],
            devicePasswords: passwords)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var clientID: String
        var username: String?
        /// What the broker sees as client id and user name, or the code of the refusal for 5.0 and 3.1.1.
        var result: String
        var source: IdentityMapper.Source
        var testDescription: String { "\(clientID), \(username ?? "-")" }
    }

    static let rows: [Row] = [
        Row(clientID: "dev-1", username: nil, result: "dev-1", source: .bundle),
        Row(clientID: "dev-1", username: "someone", result: "dev-1", source: .bundle),
        Row(clientID: "anything", username: "dev-1", result: "dev-1", source: .bundle),
        Row(clientID: "", username: "dev-1", result: "dev-1", source: .bundle),
        Row(clientID: "pump", username: nil, result: "dev-1", source: .mappedBundle),
        // The map stands above the device's own id, and the client id above the user name.
        Row(clientID: "dev-2", username: nil, result: "dev-1", source: .mappedBundle),
        Row(clientID: "pump", username: "dev-2", result: "dev-1", source: .mappedBundle),
        Row(clientID: "dev-3", username: nil, result: "134 4", source: .device),
        Row(clientID: "lost", username: nil, result: "135 5", source: .device),
        Row(clientID: "unknown", username: nil, result: "135 5", source: .device),
        Row(clientID: "DEV-1", username: nil, result: "135 5", source: .device),
        Row(clientID: "", username: nil, result: "135 5", source: .device),
    ]

    @Test(arguments: rows)
    func aDeviceWithoutAPassword(row: Row) throws {
        let mapper = try IdentityMapper(Self.auth(), bundles: Self.live())
        let connect = Connect(version: .v5_0, clientID: row.clientID, username: row.username)
        #expect(mapper.source(for: connect) == row.source)
        var mapped = connect
        do {
            let isChanged = try mapper.apply(to: &mapped, variables: Self.variables)
            #expect(isChanged)
            #expect(mapped.clientID == row.result && mapped.username == row.result)
            #expect(mapped.password == ByteBuffer(string: Self.secret.value))
        } catch {
            #expect("\(error.code.connackCode(.v5_0)) \(error.code.connackCode(.v3_1_1))" == row.result)
            #expect(mapped == connect)
        }
    }

    private static let variables = RouteVariables(clientID: "", username: "", listener: "", peer: "")

    /// The broker checks what the device sent, whether there is a bundle or not.
    @Test(arguments: ["dev-1", "pump", "dev-3", "unknown"])
    func aPasswordOfTheDevicePasses(clientID: String) throws {
        let mapper = try IdentityMapper(Self.auth(), bundles: Self.live())
        var withPassword = Connect(version: .v3_1_1, clientID: clientID, username: "u")
        withPassword.password = ByteBuffer(string: "own")
        var withMethod = Connect(version: .v5_0, clientID: clientID)
        withMethod.properties.authenticationMethod = "SCRAM-SHA-256"
        for connect in [withPassword, withMethod] {
            var mapped = connect
            let isChanged = try mapper.apply(to: &mapped, variables: Self.variables)
            #expect(!isChanged && mapped == connect)
            #expect(mapper.source(for: connect) == .device)
        }
    }

    @Test func aPasswordOfTheDeviceIsReplacedOnRequest() throws {
        let mapper = try IdentityMapper(Self.auth(.replace), bundles: Self.live())
        var connect = Connect(version: .v3_1_1, clientID: "pump", username: "u")
        connect.password = ByteBuffer(string: "own")
        _ = try mapper.apply(to: &connect, variables: Self.variables)
        #expect(connect.username == "dev-1" && connect.password == ByteBuffer(string: Self.secret.value))
        var unknown = Connect(version: .v3_1_1, clientID: "unknown", username: "u", password: ByteBuffer(string: "p"))
        #expect(throws: BundleRule.Refusal.self) { try mapper.apply(to: &unknown, variables: Self.variables) }
    }

    @Test func anOverrideStandsAboveBundles() throws {
        var auth = Self.auth()
        auth.overrides = [.init(match: .clientID("unknown"), identity: .init(clientID: "other"))]
        let mapper = try IdentityMapper(auth, bundles: Self.live())
        var connect = Connect(version: .v3_1_1, clientID: "unknown")
        _ = try mapper.apply(to: &connect, variables: Self.variables)
        #expect(connect.clientID == "other" && connect.password == nil)
        #expect(mapper.source(for: Connect(version: .v3_1_1, clientID: "unknown")) == .clientIDOverride)
    }

    @Test func newBundlesAreInForceAtOnce() throws {
        let live = LiveBundles(BundleBook())
        let mapper = try IdentityMapper(Self.auth(), bundles: live)
        var connect = Connect(version: .v3_1_1, clientID: "dev-1")
        #expect(throws: BundleRule.Refusal.self) { try mapper.apply(to: &connect, variables: Self.variables) }
        live.adopt(Self.live().current)
        let isChanged = try mapper.apply(to: &connect, variables: Self.variables)
        #expect(isChanged)
    }

    @Test func theMessageOfARefusalNamesTheDeviceAndNoSecret() throws {
        let mapper = try IdentityMapper(Self.auth(), bundles: Self.live())
        for (clientID, words) in [
            ("unknown", #"client id "unknown": there is no bundle for it in auth.bundles"#),
            ("lost", #"client id "lost": auth.bundle_map names the device "dev-9", which has no bundle"#),
            ("dev-3", #"client id "dev-3": the bundle of device "dev-3" still has the placeholder <password>"#),
        ] {
            var connect = Connect(version: .v3_1_1, clientID: clientID)
            let refusal = #expect(throws: BundleRule.Refusal.self) {
                try mapper.apply(to: &connect, variables: Self.variables)
            }
            #expect(refusal?.message.hasPrefix(words) == true, "\(refusal?.message ?? "")")
        }
    }

    @Test func theFirstBundleOfADeviceCounts() {
        var book = BundleBook()
        let isFirst = book.add("a", .password(Self.secret))
        let isSecondFirst = book.add("a", .unusable("has no password"))
        #expect(isFirst && !isSecondFirst)
        #expect(book["a"] == .password(Self.secret))
        #expect(book.count == 1 && book.usableCount == 1)
    }
}
