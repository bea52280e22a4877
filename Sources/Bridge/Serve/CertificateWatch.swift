import Logging

/// Reloads the certificate, key and client CA when their files change. Warns about certificates that have expired or are
/// about to: at the start, once per day and after each reload.
struct CertificateWatch {
    let tls: ServerTLS
    let hosts: ServeHosts
    let logger: Logger

    /// Runs until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let watch = tls.watch
                // They may have changed before this watch began.
                await reloadIfChanged()
                await watch.run { await reloadIfChanged() }
            }
            group.addTask { await reminder.run() }
        }
    }

    private var reminder: CertificateReminder {
        CertificateReminder(logger: logger) { [tls] in tls.warnings }
    }

    /// A SIGHUP may have reloaded the files already.
    private func reloadIfChanged() async {
        if await FileThread.run({ [tls] in tls.hasChanged }) == true { await reload() }
    }

    private func reload() async {
        let (tls, logger) = (tls, logger)
        let result = await FileThread.run { Result { try tls.reload(logger) } }
        switch result {
        case .success(let context)?:
            await hosts.use(context)
            logger.notice("certificates and keys reloaded", metadata: ["reason": "files changed", "leg": "client"])
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
