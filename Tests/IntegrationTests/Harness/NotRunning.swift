import Bridge
import BridgeCore
import Logging

/// The monitor of a bridge that does not run.
enum BridgeServiceBeforeRun {
    static func make(_ configuration: BridgeConfiguration) throws -> any MonitoredService {
        try BridgeService(
            configuration: configuration, signals: ProgramSignals(),
            logger: Logger(label: "bridge") { _ in SwiftLogNoOpLogHandler() }
        ).monitor
    }
}

/// The monitor of a server that does not run.
enum ServeBeforeRun {
    static func metrics() async throws -> [MetricFamily] {
        let certificates = try await Certificates.make()
        let configuration = ServeConfiguration(
            listen: [ListenAddress(host: "127.0.0.1", port: 0)], certificateFile: certificates.certificate("server"),
            keyFile: certificates.key("server"), brokerHost: "127.0.0.1", brokerPort: 1)
        return try await ServeService(
            configuration: configuration, logger: Logger(label: "serve") { _ in SwiftLogNoOpLogHandler() }
        ).monitor.metrics()
    }
}
