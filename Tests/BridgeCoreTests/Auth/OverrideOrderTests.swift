import MQTTCodec
import Testing

@testable import BridgeCore

/// Which item of `auth.overrides` decides if several match.
struct OverrideOrderTests {
    private typealias Match = AuthConfiguration.Override.Match

    private static func mapper(_ matches: [Match]) throws -> IdentityMapper {
        let overrides = matches.enumerated().map { index, match in
            AuthConfiguration.Override(match: match, identity: .init(username: "item\(index)"))
        }
        return try IdentityMapper(AuthConfiguration(overrides: overrides))
    }

    private static func seen(_ matches: [Match]) throws -> String {
        let mapper = try mapper(matches)
        let original = Connect(version: .v3_1_1, clientID: "s1", username: "anna")
        var connect = original
        _ = try mapper.apply(to: &connect, variables: RouteVariables(clientID: "s1", username: "anna"))
        return "\(connect.username ?? "-"), \(mapper.source(for: original).rawValue)"
    }

    @Test func theOrderOfTheFileDecides() throws {
        #expect(try Self.seen([.username("anna"), .clientID("s1")]) == "item0, usernameOverride")
        #expect(try Self.seen([.clientID("s1"), .username("anna")]) == "item0, clientIDOverride")
        #expect(try Self.seen([.clientID("s2"), .username("anna"), .clientID("s1")]) == "item1, usernameOverride")
        #expect(try Self.seen([.username("bob"), .clientID("s1")]) == "item1, clientIDOverride")
        #expect(try Self.seen([.username("bob"), .clientID("s2")]) == "anna, device")
    }
}
