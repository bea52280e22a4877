import BridgeCore
import Logging

// What is logged about the ways to the broker.
extension Upstream {
    func log(_ change: WayChoice.Change) {
        var metadata: Logger.Metadata = [
            "leg": "uplink", "way": "\(words(change.to))", "before": "\(words(change.from))",
        ]
        if let why = change.why, !why.isEmpty { metadata["reason"] = "\(why)" }
        switch (change.to, change.why) {
        case (.tls, _):
            logger.notice("QUIC is blocked or unanswered, falling back to MQTT over TLS", metadata: metadata)
        case (.quic, nil):
            logger.notice("a better endpoint works again, new sessions use it", metadata: metadata)
        case (.quic, _?):
            logger.notice("endpoint failed, using another", metadata: metadata)
        }
    }

    func log(_ news: DialPolicy.FailureNews, _ permit: DialPermit, _ why: String, hasOthers: Bool) {
        var metadata: Logger.Metadata = ["leg": "uplink", "error": "\(why)", "way": "\(words(permit.way))"]
        switch news {
        case .none, .failed(.stale):
            break
        case .refused(let atOnce):
            // This is logged at most once per minute, because a burst of devices causes many refusals.
            metadata["at_once"] = "\(atOnce)"
            logger.info(
                "the broker refuses connections for now: fewer are made at once, and devices wait", metadata: metadata)
        case .failed(.again):
            logger.info("endpoint failed, trying it again", metadata: metadata)
        case .failed(.next):
            logger.info("endpoint failed, trying the next", metadata: metadata)
        case .failed(.exhausted):
            logger.warning(
                hasOthers ? "the broker accepts no further connection" : "the broker cannot be reached",
                metadata: ["leg": "uplink", "error": "\(failure(permit.purpose) ?? why)"])
        }
    }

    func logLeft(_ way: UplinkWay, for next: UplinkWay) {
        logger.notice(
            "the endpoint's server is shutting down, using another",
            metadata: ["leg": "uplink", "way": "\(words(next))", "before": "\(words(way))"])
    }

    private func words(_ way: UplinkWay) -> String {
        switch way {
        case .quic(let index): "QUIC to \(configuration.endpoints[index].host):\(configuration.endpoints[index].port)"
        case .tls: "TLS to \(configuration.fallback.map { "\($0.host):\($0.port)" } ?? "nowhere")"
        }
    }
}
