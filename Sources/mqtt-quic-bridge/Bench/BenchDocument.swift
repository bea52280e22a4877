import Measurement

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The report of `bench --json`. Its names and meanings stay; names may be added.
struct BenchDocument: Codable, Equatable {
    /// In milliseconds.
    struct Latency: Codable, Equatable {
        var count: Int
        var p50: Double
        var p95: Double
        var p99: Double
        var max: Double

        init?(_ histogram: LatencyHistogram) {
            guard histogram.count > 0 else { return nil }
            count = histogram.count
            let times = [50.0, 95, 99, 100].map { Double(histogram.percentile($0)) / 1e6 }
            (p50, p95, p99, max) = (times[0], times[1], times[2], times[3])
        }
    }

    struct Latencies: Codable, Equatable {
        var connect: Latency?
        var publish: Latency?
        var endToEnd: Latency?
        var ownDelay: Latency?
    }

    struct Failure: Codable, Equatable {
        var error: String
        var count: Int
    }

    struct Processors: Codable, Equatable {
        var connecting: Double
        var publishing: Double
        var available: Int
    }

    var ok: Bool
    var interrupted: Bool
    var limitedByThisMachine: Bool
    var devices: Int
    var subscribers: Int
    var connected: Int
    var subscribed: Int
    var connectFailures: Int
    var lost: Int
    var overTls: Int
    var sent: Int
    var published: Int
    var publishFailures: Int
    var heldUp: Int
    var unanswered: Int
    var neverSent: Int
    var received: Int
    var missing: Int?
    var seconds: Double
    var publishedPerSecond: Double
    var receivedPerSecond: Double
    var bytesSent: Int
    var bytesReceived: Int
    var processors: Processors
    var latencyMs: Latencies
    /// The most frequent first.
    var errors: [Failure]

    init(_ report: BenchReport) {
        let counts = report.counts
        (ok, interrupted) = (report.isClean && !report.wasInterrupted, report.wasInterrupted)
        limitedByThisMachine = report.isLimitedByThisMachine
        (devices, subscribers) = (report.plan.devices, report.plan.subscribers)
        (connected, connectFailures, lost) = (counts.connected, counts.connectFailures, counts.lost)
        subscribed = counts.subscribed
        overTls = counts.tlsConnections
        (sent, published, publishFailures) = (counts.sent, counts.published, counts.publishFailures)
        (heldUp, unanswered, neverSent) = (counts.late, counts.unanswered, counts.unsent)
        (received, missing) = (counts.received, report.missing)
        seconds = report.seconds
        publishedPerSecond = report.perSecond(counts.published)
        receivedPerSecond = report.perSecond(counts.received)
        (bytesSent, bytesReceived) = (counts.bytesSent, counts.bytesReceived)
        processors = Processors(
            connecting: report.connecting.used, publishing: report.publishing.used,
            available: report.publishing.available)
        latencyMs = Latencies(
            connect: Latency(counts.connect), publish: Latency(counts.publish), endToEnd: Latency(counts.endToEnd),
            ownDelay: Latency(counts.lag))
        errors = counts.errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { Failure(error: $0.key, count: $0.value) }
    }

    /// The document and a line break.
    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
