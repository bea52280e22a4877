import Logging

/// Says that a certificate has expired or is about to, for as long as that is so.
struct CertificateReminder: Sendable {
    static let day = Duration.seconds(86_400)

    let logger: Logger
    var interval = Self.day
    /// What is to be said, as of now. Reads files.
    let warnings: @Sendable () -> [String]

    /// At once and once a day, until it is cancelled.
    func run() async {
        repeat { await warn() } while (try? await Task.sleep(for: interval)) != nil
    }

    func warn() async {
        for warning in await FileThread.run(warnings) ?? [] {
            logger.warning("a certificate needs attention", metadata: ["detail": "\(warning)", "leg": "client"])
        }
    }
}
