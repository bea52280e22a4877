import BridgeCore
import Testing

@testable import BridgeConfig

/// Compares docs/configuration.md with the keys, defaults, ranges and variables in the code.
struct ConfigurationReferenceTests {
    private struct Row {
        let key: Key
        let defaultValue: String
        let allowed: String
        let variable: String
    }

    /// A number that is no other default, so that it is recognized as the default of `threads`.
    private static let cores = 77
    private static let bridge = "uplink: {host: broker.example.com, ca: ca.pem, fallback: {port: 1}}\n"
    private static let gateway = """
        uplink: {host: broker.example.com, ca: ca.pem, mapping: data-stream, identity: {client_id: gateway}}
        auth: {mode: local, users_file: ca.pem}

        """

    private static let bundles = "uplink: {host: broker.example.com, ca: ca.pem}\nauth: {mode: bundles, bundles: .}\n"

    private static func rows() throws -> [Row] {
        try Document("docs/configuration.md").rows(of: ["key", "default", "allowed", "variable", "meaning"]).map {
            cells in
            #expect(cells.count == 5 && cells.allSatisfy { !$0.isEmpty }, "\(cells)")
            let key = try #require(cells[0].unquoted.flatMap { Key(rawValue: $0) }, "\(cells[0]) is not a key")
            return Row(key: key, defaultValue: cells[1], allowed: cells[2], variable: cells[3])
        }
    }

    @Test func namesEveryKeyOnce() throws {
        let keys = try Self.rows().map(\.key.rawValue)
        #expect(keys.sorted() == Key.allCases.map(\.rawValue).sorted())
    }

    @Test func namesEveryVariable() throws {
        for row in try Self.rows() {
            let expected = row.key.shape == .structure ? "only in the file" : "`\(row.key.variable)`"
            #expect(row.variable == expected, "\(row.key.rawValue)")
        }
    }

    // MARK: - Defaults

    @Test func namesEveryDefault() throws {
        let required = try Self.requiredKeys()
        #expect(required.count >= 7)
        let defaults = try Self.defaults()
        #expect(defaults.count > 45)
        for row in try Self.rows() {
            let expected = required.contains(row.key) ? "required" : defaults[row.key].map { "`\($0)`" } ?? "none"
            #expect(row.defaultValue == expected, "\(row.key.rawValue)")
        }
    }

    /// The keys that the loader reports as missing.
    private static func requiredKeys() throws -> Set<Key> {
        let lines =
            try errors("uplink: {fallback: {}}\n")
            + errors("uplink: {host: a, ca: ca.pem, mapping: data-stream}\nauth: {mode: local, anonymous: true}\n")
            + serveErrors("serve: {}\n")
        return Set(
            lines.filter { $0.contains(": is missing ") }.compactMap { line in
                Key.allCases.first { line.contains(": \($0.rawValue): is missing ") }
            })
    }

    /// The values that `check` shows for keys that are not given.
    private static func defaults() throws -> [Key: String] {
        let folder = try TemporaryFolder.forServe()
        var defaults: [Key: String] = [:]
        func add(_ text: String, writtenAre origins: [String: Origin]) throws {
            // This default is another one for `serve`; the page says so in words.
            for (key, value) in try settings(text) where origins[key.rawValue] == nil {
                if key == .adminListen, value == "off" { continue }
                #expect(defaults[key] == nil || defaults[key] == value, "\(key.rawValue)")
                defaults[key] = value
            }
        }
        for text in [bridge, gateway, bundles] {
            let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path, cores: cores)
            try add(EffectiveConfiguration.render(loaded.configuration), writtenAre: loaded.origins)
        }
        let loaded = try ConfigurationLoader.load(.serve, text: minimalServe, folder: folder.path, cores: cores)
        try add(EffectiveConfiguration.render(loaded.configuration), writtenAre: loaded.origins)
        // One default is the number of cores, and one is the value of another key.
        if defaults[.threads] == "\(cores)" { defaults[.threads] = "auto" }
        if defaults[.uplinkFallbackHost] == "broker.example.com" {
            defaults[.uplinkFallbackHost] = Key.uplinkHost.rawValue
        }
        return defaults
    }

    /// The values in a text, as the file reader finds them, without further checks.
    private static func settings(_ text: String) throws -> [Key: String] {
        let diagnostics = Diagnostics()
        guard case .root(let root) = YAMLDocument.parse(text, name: "", diagnostics: diagnostics) else { return [:] }
        let settings = SettingsReader.read(root, into: Settings(), diagnostics: diagnostics)
        try diagnostics.throwIfAny()
        let nodes = settings.nodes.compactMapValues { node -> String? in
            guard case .list(let items) = node.content else { return nil }
            let words = items.compactMap { item -> String? in
                if case .scalar(let text, _) = item.content { "\"\(text)\"" } else { nil }
            }
            return words.count == items.count ? "[\(words.joined(separator: ", "))]" : nil
        }
        return settings.scalars.mapValues(\.text).merging(nodes) { $1 }
    }

    // MARK: - Allowed values

    /// The loader's message about an invalid value says which values are valid.
    @Test func namesEveryRange() throws {
        var count = 0
        for row in try Self.rows() where row.key.shape == .scalar {
            guard let message = try Self.message(aboutNonsenseFor: row.key) else { continue }
            if let range = message.firstMatch(of: /from (\S+) to ([^\s;,]+)/) {
                let parts = row.allowed.replacing("or ", with: "").split(separator: ", ")
                #expect(parts.contains("\(range.1) to \(range.2)"), "\(row.key.rawValue): \(message)")
                count += 1
            }
            if let choices = message.firstMatch(of: /one of: (.+)$/) {
                let names = choices.1.split(separator: ", ").map { "`\($0)`" }
                #expect(row.allowed == names.joined(separator: ", "), "\(row.key.rawValue)")
                count += 1
            }
            if message.contains("neither true nor false") {
                #expect(row.allowed == "`true`, `false`", "\(row.key.rawValue)")
                count += 1
            }
        }
        #expect(count >= 50)
    }

    /// The error for a value that only a text can have; `nil` if the key accepts any text.
    private static func message(aboutNonsenseFor key: Key) throws -> String? {
        let environment = [key.variable: "n/o/n/s/e/n/s/e"]
        let lines =
            key.section == "serve"
            ? try serveErrors(minimalServe, environment: environment)
            : try errors(key.section == "uplink.identity" ? gateway : bridge, environment: environment)
        return lines.first { $0.contains(": \(key.rawValue): ") }
    }

    // MARK: - Items of lists

    private struct Item: Sendable {
        let list: Key
        /// All keys that an item may have.
        let keys: [String]
        /// An item that has only what every item needs.
        let least: String
        /// A configuration that contains an item.
        let around: @Sendable (String) -> String
    }

    private static let items = [
        Item(list: .listen, keys: ConfigurationReader.listenerKeys, least: "address: \"127.0.0.1:1\"") {
            "\(minimal)listen: [{\($0)}]\n"
        },
        Item(list: .uplinkEndpoints, keys: ConfigurationReader.endpointKeys, least: "host: a") {
            "uplink: {ca: ca.pem, endpoints: [{\($0)}]}\n"
        },
        Item(
            list: .authBundleMap, keys: ConfigurationReader.bundleMapKeys, least: "client_id: a, device_id: b"
        ) {
            "\(minimal)auth: {mode: bundles, bundles: ., bundle_map: [{\($0)}]}\n"
        },
        Item(list: .authOverrides, keys: ConfigurationReader.overrideKeys, least: "match: {client_id: a}, username: b")
        {
            "\(minimal)auth: {overrides: [{\($0)}]}\n"
        },
        Item(list: .routes, keys: ConfigurationReader.routeKeys, least: "local: a, remote: b") {
            "\(minimal)routes: [{\($0)}]\n"
        },
    ]

    @Test func namesTheKeysOfItems() throws {
        let rows = try Document("docs/configuration.md").rows(of: ["list", "key", "default", "meaning"])
        let documented = rows.map { "\($0[0]) \($0[1]) \($0[2])" }
        let expected = try Self.items.flatMap { item in
            try item.keys.map { "`\(item.list.rawValue)` `\($0)` \(try Self.defaultValue(of: $0, in: item))" }
        }
        #expect(documented.sorted() == expected.sorted())
    }

    private static func defaultValue(of name: String, in item: Item) throws -> String {
        // The loader says what is missing from an empty item.
        let missing = try errors(item.around("")).filter { $0.contains(" is missing") }
        if missing.contains(where: { $0.contains(": \(name) is missing") }) { return "required" }
        let shown = EffectiveConfiguration.render(
            try load(item.around(item.least)).configuration,
            origins: [item.list.rawValue: Origin(.nowhere(name: ""))])
        let diagnostics = Diagnostics()
        guard case .root(let root) = YAMLDocument.parse(shown, name: "", diagnostics: diagnostics) else { return "" }
        let settings = SettingsReader.read(root, into: Settings(), diagnostics: diagnostics)
        guard case .list(let nodes) = settings.nodes[item.list]?.content,
            case .map(let entries) = nodes.first?.content,
            let entry = entries.first(where: { $0.name == name }), case .scalar(let text, _) = entry.value.content,
            !item.least.contains("\(name): ")
        else { return "none" }
        return "`\(text)`"
    }
}
