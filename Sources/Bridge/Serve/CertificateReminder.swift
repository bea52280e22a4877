import Logging

/// Warns once a day for as long as a certificate has expired or is about to.
struct CertificateReminder: Sendable {
    static let day = Duration.seconds(86_400)

    let logger: Logger
    var interval = Self.day
    /// Reads the certificate files and returns the warnings that apply now.
    let warnings: @Sendable () -> [String]

    /// Warns at once and then once a day, until the task is cancelled.
    func run() async {
        repeat { await warn() } while (try? await Task.sleep(for: interval)) != nil
    }

    func warn() async {
        for warning in await FileThread.run(warnings) ?? [] {
            logger.warning("a certificate needs attention", metadata: ["detail": "\(warning)", "leg": "client"])
        }
    }
}
