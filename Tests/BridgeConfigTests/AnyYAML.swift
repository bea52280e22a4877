@testable import BridgeConfig

/// Reads YAML files that are not configurations of this program, such as Kubernetes' manifests, into dictionaries, arrays,
/// strings, integers and truth values.
enum AnyYAML {
    struct Refused: Error {
        var errors: [ConfigurationError]
    }

    /// Tags, which `docker compose` uses (`!override`), are left out.
    static func load(_ text: String) throws -> Any {
        let text = text.replacing(/: ![a-z]+/, with: ":")
        let diagnostics = Diagnostics()
        guard case .root(let node) = YAMLDocument.parse(text, name: "YAML", diagnostics: diagnostics),
            diagnostics.errors.isEmpty
        else { throw Refused(errors: diagnostics.errors) }
        return value(node)
    }

    /// The documents of a file, which lines with three hyphens separate.
    static func documents(_ text: String) throws -> [Any] {
        try text.split(separator: "\n---\n").map { try load(String($0)) }
    }

    private static func value(_ node: YAMLNode) -> Any {
        switch node.content {
        case .scalar(let text, isPlain: true): Int(text) ?? Bool(text) ?? text as Any
        case .scalar(let text, isPlain: false): text
        case .list(let items): items.map(value)
        case .map(let entries): Dictionary(uniqueKeysWithValues: entries.map { ($0.name, value($0.value)) })
        }
    }
}
