import Foundation

/// The folder for configurations, certificates and logs, which goes when the suite ends.
package enum TemporaryFolder {
    private static let prefix = "mqtt-quic-bridge-bench-"

    /// Makes the folder, and removes those of suites that were killed.
    ///
    /// - Throws: `SuiteError` if it cannot be created.
    package static func make() throws -> String {
        let place = FileManager.default.temporaryDirectory
        for name in (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? [] where isAbandoned(name) {
            try? FileManager.default.removeItem(at: place.appending(path: name))
        }
        let url = place.appending(path: "\(prefix)\(getpid())")
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw SuiteError("\(url.path) cannot be created: \(error.localizedDescription)")
        }
        CleanUp.shared.add { try? FileManager.default.removeItem(at: url) }
        return url.path
    }

    /// Whether a name is that of a folder whose process does not exist any more.
    static func isAbandoned(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), let pid = Int32(name.dropFirst(prefix.count)), pid > 0 else { return false }
        return kill(pid, 0) != 0 && errno == ESRCH
    }
}
