import BridgeCore
import Logging

// What the log has of the ways to the broker.
extension Upstream {
    func log(_ change: CandidateChoice.Change) {
        var metadata: Logger.Metadata = [
            "leg": "uplink", "way": "\(words(change.to))", "before": "\(words(change.from))",
        ]
        if let why = change.why, !why.isEmpty { metadata["reason"] = "\(why)" }
        switch (change.to, change.why) {
        case (.tls, _):
            logger.notice("QUIC is blocked or unanswered: devices go by MQTT over TLS", metadata: metadata)
        case (.quic, nil):
            logger.notice("a better way to the broker works again: new sessions take it", metadata: metadata)
        case (.quic, _?):
            logger.notice("an endpoint of the broker does not work: devices go to another", metadata: metadata)
        }
    }

    func log(
        _ verdict: CandidateChoice.Verdict, _ attempt: Attempt, _ why: String, hasOthers: Bool
    ) {
        let metadata: Logger.Metadata = ["leg": "uplink", "error": "\(why)", "way": "\(words(attempt.candidate))"]
        switch verdict {
        case .again: logger.info("a way to the broker does not work, and is tried again", metadata: metadata)
        case .next: logger.info("a way to the broker does not work: the next is tried", metadata: metadata)
        case .stale: break
        case .exhausted:
            logger.warning(
                hasOthers ? "the broker takes no further connection" : "the broker cannot be reached",
                metadata: ["leg": "uplink", "error": "\(failure(attempt.line) ?? why)"])
        }
    }

    /// Once a minute at most: a burst of devices has many of them.
    func logRefusal(_ attempt: Attempt, _ why: String, atOnce: Int) {
        logger.info(
            "the broker refuses connections for the moment: fewer are made at once, and devices wait",
            metadata: [
                "leg": "uplink", "error": "\(why)", "way": "\(words(attempt.candidate))", "at_once": "\(atOnce)",
            ])
    }

    private func words(_ candidate: CandidateChoice.Candidate) -> String {
        switch candidate {
        case .quic(let index): "QUIC to \(configuration.endpoints[index].host):\(configuration.endpoints[index].port)"
        case .tls: "TLS to \(configuration.fallback.map { "\($0.host):\($0.port)" } ?? "nowhere")"
        }
    }
}
