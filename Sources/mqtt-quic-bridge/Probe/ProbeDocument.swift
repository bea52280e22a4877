import BrokerProbe

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A probe as JSON. docs/probe.md describes its fields.
struct ProbeDocument: Encodable {
    var report: ProbeReport
    /// What to put into bridge.yaml; `nil` if the handshake did not work.
    var configuration: String?

    private struct Result: Encodable {
        var ok: Bool
        /// The class of the failure.
        var failure: ProbeFailure.Kind?
        var reason: String?
        var exitCode: Int32
    }

    private enum CodingKeys: String, CodingKey {
        case result, configuration
    }

    /// The report's own fields, and beside them the result and the configuration.
    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        let failure = report.failure
        try container.encode(
            Result(
                ok: failure == nil, failure: failure?.kind, reason: failure?.reason,
                exitCode: failure?.kind.exitCode ?? 0), forKey: .result)
        try container.encodeIfPresent(configuration, forKey: .configuration)
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
