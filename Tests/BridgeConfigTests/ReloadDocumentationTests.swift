import BridgeCore
import Testing

@testable import BridgeConfig

struct ReloadDocumentationTests {
    private static let rules =
        BridgeConfiguration.reloadRules.map { ($0.keys, $0.effect) }
        + ServeConfiguration.reloadRules.map { ($0.keys, $0.effect) }

    /// docs/operations.md says for every key when a change takes effect.
    @Test func theDocumentationNamesEveryKey() throws {
        var documented: [String: String] = [:]
        for row in try Document("docs/operations.md").rows(of: ["keys", "take effect"]) {
            for key in row[0].matches(of: /`([a-z_.0-9]+)`/).map({ String($0.1) }) {
                #expect(documented.updateValue(row[1], forKey: key) == nil, "\(key) is there twice")
            }
        }
        var expected: [String: String] = [:]
        for (keys, effect) in Self.rules {
            for key in keys { expected[key] = Self.words(effect) }
        }
        for key in Set(documented.keys).union(expected.keys).sorted() {
            #expect(documented[key]?.hasPrefix(expected[key] ?? "?") == true, "\(key)")
        }
    }

    private static func words(_ effect: ReloadEffect) -> String {
        switch effect {
        case .now: "at once"
        case .devicesConcerned: "at once; devices that it concerns"
        case .newDevices: "for devices and clients that connect"
        case .newConnections: "for connections to the broker"
        case .restart: "after a restart"
        }
    }
}
