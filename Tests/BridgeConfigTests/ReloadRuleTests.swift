import BridgeCore
import Testing

@testable import BridgeConfig

/// Nothing in a configuration may be ignored by a reload without a word.
struct ReloadRuleTests {
    private static let rules =
        BridgeConfiguration.reloadRules.map { ($0.keys, $0.effect) }
        + ServeConfiguration.reloadRules.map { ($0.keys, $0.effect) }

    @Test func everyKeyHasARule() {
        let known = Set(Self.rules.flatMap(\.0))
        for key in Key.allCases { #expect(known.contains(key.rawValue), "a reload does nothing about \(key.rawValue)") }
    }

    @Test func commandsAgreeAboutKeysThatBothRead() {
        let run = BridgeConfiguration.reloadRules.flatMap { rule in rule.keys.map { ($0, rule.effect) } }
        let serve = Dictionary(
            uniqueKeysWithValues: ServeConfiguration.reloadRules.flatMap { rule in rule.keys.map { ($0, rule.effect) } }
        )
        for (key, effect) in run {
            if let other = serve[key] { #expect(other == effect, "\(key)") }
        }
    }
}
