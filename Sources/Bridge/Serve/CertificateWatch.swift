import Logging

/// Reloads the certificate, key and client CA when their files change, and on request (SIGHUP), which reloads the
/// ticket key too. Warns about certificates that have expired or are about to: at the start, once a day and after each
/// reload.
struct CertificateWatch {
    let tls: ServerTLS
    let hosts: ServeHosts
    let logger: Logger

    /// Runs until the task is cancelled.
    func run(_ reloads: AsyncStream<Void>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await tls.watch.run {
                    // A SIGHUP may have reloaded the files already.
                    if await FileThread.run({ [tls] in tls.hasChanged }) == true {
                        await reload("files changed", withTicketKey: false)
                    }
                }
            }
            group.addTask {
                for await _ in reloads { await reload("reload requested", withTicketKey: true) }
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
            logger.notice("certificates and keys reloaded", metadata: ["reason": "\(why)", "leg": "client"])
            await reminder.warn()
        case .failure(let error)?:
            logger.warning(
                "reloading certificates and keys failed; the previous ones stay in use",
                metadata: ["error": "\(error)", "leg": "client"])
        case nil:
            break
        }
    }
}
