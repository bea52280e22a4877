import BridgeCore
import BrokerProbe

/// A probe as a person reads it on a terminal, step by step as they end.
struct ProbeText {
    private static let outcomeWidth = 9
    private static let nameWidth = 13
    private static let timeWidth = 11

    static func header(_ options: ProbeOptions) -> String {
        let endpoint = ListenText.endpoint(options.host, options.port)
        return "probing \(endpoint) over QUIC, with \(options.caFile)".printable + "\n"
    }

    static func text(_ step: ProbeStep) -> String {
        let outcome =
            switch step.outcome {
            case .ok: "ok"
            case .warning: "warning"
            case .failed: "FAILED"
            case .skipped: "skipped"
            }
        let time = step.milliseconds.map { Words.milliseconds($0) } ?? ""
        let first =
            padded(outcome, outcomeWidth) + padded(step.name.rawValue, nameWidth) + padded(time, timeWidth)
            + step.summary
        let indentation = String(repeating: " ", count: outcomeWidth + nameWidth + timeWidth)
        let rest = step.details + step.warnings.map { "warning: \($0)" }
        return ([first] + rest.map { indentation + $0 }).map { $0.printable + "\n" }.joined()
    }

    /// - Parameter configuration: What to put into bridge.yaml.
    static func footer(_ report: ProbeReport, configuration: String?) -> String {
        let result =
            if let failure = report.failure {
                "result: \(failure.kind.words) (exit code \(failure.kind.exitCode))"
            } else {
                "result: the broker can be used"
            }
        guard let configuration else { return "\n\(result)\n" }
        return "\n\(result)\n\n\(configuration)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}

enum ListenText {
    /// `host:port`, with an IPv6 address in brackets.
    static func endpoint(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
