import Foundation

extension SuiteReport.Setting {
    init(network: Network, versions: [String: String]) {
        date = Date.now.formatted(.iso8601)
        cores = ProcessInfo.processInfo.processorCount
        kernel =
            (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
            .trimmingCharacters(in: .newlines) ?? "unknown"
        self.network = network.isIsolated ? "namespaces" : "loopback"
        self.versions = versions
    }
}
