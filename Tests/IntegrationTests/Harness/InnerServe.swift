import Bridge
import BridgeCore
import Logging

/// `serve` inside the test's own process, so that what it knows about itself can be asked.
struct InnerServe: Sendable {
    let port: Int
    let monitor: any MonitoredService

    /// Runs a server in front of that broker while `body` runs.
    static func run(
        broker: Int, _ change: (inout ServeConfiguration) -> Void = { _ in },
        _ body: (InnerServe) async throws -> Void
    ) async throws {
        let certificates = try await Certificates.make()
        var configuration = ServeConfiguration(
            listen: [ListenAddress(host: "127.0.0.1", port: 0)], certificateFile: certificates.certificate("server"),
            keyFile: certificates.key("server"), brokerHost: "127.0.0.1", brokerPort: broker)
        configuration.threads = 2
        change(&configuration)
        let service = try ServeService(
            configuration: configuration, logger: Logger(label: "serve") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await service.run() }
        do {
            var address = await service.monitor.status().listen.first
            while address == nil {
                try await Task.sleep(for: .milliseconds(10))
                address = await service.monitor.status().listen.first
            }
            let port = address?.split(separator: ":").last.flatMap { Int($0) } ?? 0
            try await body(InnerServe(port: port, monitor: service.monitor))
        } catch {
            running.cancel()
            _ = try? await running.value
            throw error
        }
        running.cancel()
        try await running.value
    }
}
