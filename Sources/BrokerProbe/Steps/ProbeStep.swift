/// One step of a probe when it has ended: what it found, judged and in words.
///
/// Text may contain what the broker sent; whoever prints it has to make control characters harmless.
package struct ProbeStep: Sendable, Equatable, Encodable {
    package enum Name: String, Sendable, CaseIterable, Encodable {
        case resolve, handshake, certificate, parameters, connect, datagrams, rebind, streams, tickets, burst, fallback
    }

    package enum Outcome: String, Sendable, Encodable {
        /// As it should be.
        case ok
        /// The broker can be used, but an operator should know this.
        case warning
        /// The broker cannot be used like this.
        case failed
        /// Not done, because it was not asked for or could not be.
        case skipped
    }

    package var name: Name
    package var outcome: Outcome
    /// How long the step took; `nil` if it took no time of its own.
    package var milliseconds: Double?
    /// One line.
    package var summary: String
    /// Further lines.
    package var details: [String]
    /// What needs attention, one line each.
    package var warnings: [String]

    package init(
        _ name: Name, _ outcome: Outcome, milliseconds: Double? = nil, _ summary: String, details: [String] = [],
        warnings: [String] = []
    ) {
        self.name = name
        self.outcome = outcome == .ok && !warnings.isEmpty ? .warning : outcome
        self.milliseconds = milliseconds
        self.summary = summary
        self.details = details
        self.warnings = warnings
    }

    /// A step that failed for this reason.
    static func failed(_ name: Name, _ failure: ProbeFailure, milliseconds: Double? = nil) -> ProbeStep {
        ProbeStep(name, .failed, milliseconds: milliseconds, failure.reason)
    }
}
