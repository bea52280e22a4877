import Foundation
import Testing

/// The mapping that this run of the integration tests is about, which also decides what stands between the bridge and
/// the broker. It comes from BRIDGE_TEST_MAPPING, which scripts/test sets to each mapping in turn.
enum Carrier: String, Sendable, CustomTestStringConvertible {
    /// `connection`, against the EMQX-like front.
    case connection
    /// `mux`, against the program's own `serve`.
    case mux
    /// `data-stream`, against the EMQX-like front.
    case dataStream = "data-stream"

    static let current: Carrier = {
        guard let name = ProcessInfo.processInfo.environment["BRIDGE_TEST_MAPPING"] else { return .connection }
        guard let carrier = Carrier(rawValue: name) else {
            fatalError("BRIDGE_TEST_MAPPING=\(name): expected connection, mux or data-stream")
        }
        return carrier
    }()

    var testDescription: String { rawValue }
}

extension Trait where Self == ConditionTrait {
    /// Enables a test only for these mappings.
    static func mapping(_ carriers: Carrier...) -> Self {
        .enabled(if: carriers.contains(Carrier.current), "not of the mapping \(Carrier.current.rawValue)")
    }
}
