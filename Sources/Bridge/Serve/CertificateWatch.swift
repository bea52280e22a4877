import Logging

/// Has certificate, key and client CA read again when their files change, and when asked; then the ticket key, too. Says
/// at the start and once a day, and of new ones at once, where a certificate has expired or is about to.
struct CertificateWatch {
    let tls: ServerTLS
    let hosts: ServeHosts
    let logger: Logger

    /// Runs until it is cancelled.
    func run(_ reloads: AsyncStream<Void>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await tls.watch.run {
                    // A signal may have been quicker.
                    if await FileThread.run({ [tls] in tls.hasChanged }) == true {
                        await reload("files changed", withTicketKey: false)
                    }
                }
            }
            group.addTask {
                for await _ in reloads { await reload("asked to", withTicketKey: true) }
            }
            group.addTask { await reminder.run() }
        }
    }

    private var reminder: CertificateReminder {
        CertificateReminder(logger: logger) { [tls] in tls.warnings }
    }

    private func reload(_ why: String, withTicketKey: Bool) async {
        let (tls, logger) = (tls, logger)
        let result = await FileThread.run {
            Result { try tls.reload(withTicketKey: withTicketKey, logger: logger) }
        }
        switch result {
        case .success(let context)?:
            await hosts.use(context)
            logger.notice("certificates and keys were read again", metadata: ["reason": "\(why)", "leg": "client"])
            await reminder.warn()
        case .failure(let error)?:
            logger.warning(
                "a new certificate or key is not usable, and those of before stay in use",
                metadata: ["error": "\(error)", "leg": "client"])
        case nil:
            break
        }
    }
}
