import Bridge
import BridgeCore
import Foundation
import Logging
import Synchronization

/// The bridge inside the test's own process, for settings that no configuration file has.
struct InnerBridge: Sendable {
    let port: Int
    /// The messages of the bridge's log, each with its metadata.
    let log: EventLog<String>
    let service: BridgeService
    var monitor: any MonitoredService { service.monitor }

    /// Runs a bridge while `body` runs.
    static func run(
        _ configuration: BridgeConfiguration, probing: WayChoice.Probing = .init(),
        _ body: (InnerBridge) async throws -> Void
    ) async throws {
        let (lines, feed) = AsyncStream.makeStream(of: String.self)
        let log = EventLog<String>()
        let reader = Task {
            for await line in lines { await log.append(line) }
        }
        let service = try BridgeService(
            configuration: configuration, signals: ProgramSignals(), probing: probing,
            logger: Logger(label: "bridge") { _ in Collector(feed: feed) })
        let running = Task { try await service.run() }
        defer { reader.cancel() }
        do {
            let line = try await log.first("the bridge to listen") { $0.contains("listening") }
            let digits = line.split(separator: ":").last?.prefix { $0.isNumber } ?? ""
            try await body(InnerBridge(port: Int(digits) ?? 0, log: log, service: service))
        } catch {
            running.cancel()
            _ = try? await running.value
            throw HarnessError("\(error)", await log.all.joined(separator: "\n"))
        }
        running.cancel()
        try await running.value
    }

    /// Waits for a log line with this text, and returns it.
    @discardableResult
    func says(_ text: String, from start: Int = 0) async throws -> String {
        try await log.first("'\(text)' in the bridge's log", from: start) { $0.contains(text) }
    }

    private struct Collector: LogHandler {
        let feed: AsyncStream<String>.Continuation
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let more = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            feed.yield("\(event.level) \(event.message) \(more.joined(separator: " "))")
        }
    }
}
