import Foundation
import Testing

/// The mapping that this run of the integration tests is about, which also decides what stands between the bridge and
/// the broker. It comes from BRIDGE_TEST_MAPPING, which scripts/test sets to each mapping in turn.
enum TestMapping: String, Sendable, CustomTestStringConvertible {
    /// `connection`, against the EMQX-like front.
    case connection
    /// `mux`, against the program's own `serve`.
    case mux
    /// `data-stream`, against the EMQX-like front.
    case dataStream = "data-stream"

    static let current: TestMapping = {
        guard let name = ProcessInfo.processInfo.environment["BRIDGE_TEST_MAPPING"] else { return .connection }
        guard let mapping = TestMapping(rawValue: name) else {
            fatalError("BRIDGE_TEST_MAPPING=\(name): expected connection, mux or data-stream")
        }
        return mapping
    }()

    var testDescription: String { rawValue }
}

extension Trait where Self == ConditionTrait {
    /// Enables a test only for these mappings.
    static func mapping(_ mappings: TestMapping...) -> Self {
        .enabled(if: mappings.contains(TestMapping.current), "not of the mapping \(TestMapping.current.rawValue)")
    }
}
