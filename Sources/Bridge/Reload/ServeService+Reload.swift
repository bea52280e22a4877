import BridgeCore
import QUICTransport

extension ServeService {
    package var configuration: ServeConfiguration { state.configuration }

    package func reload(
        _ new: ServeConfiguration, isDryRun: Bool, isAllOrNothing: Bool
    ) async throws -> ReloadReport {
        let (present, files) = (state.configuration, state.files)
        let (tls, logger) = (tls, logger)
        let result = await FileThread.run {
            Result {
                let plan = ReloadPlan(from: present, to: new, files: FileDigests(new).changes(since: files))
                try CredentialFiles(new).explaining { try ServerTLS.check(new) }
                let warnings = CredentialFiles(plan.target).warnings
                let isWanted = !isDryRun && plan.refusal(isAllOrNothing: isAllOrNothing) == nil
                return (plan, warnings, isWanted ? try tls.adopt(plan.target, logger: logger) : nil)
            }
        }
        guard let result else { return ReloadReport(ok: false, errors: ["the program is ending"]) }
        let (plan, warnings, context) = try result.get()
        if let refusal = plan.refusal(isAllOrNothing: isAllOrNothing) { return refusal }
        if let context { await adopt(plan.target, context, after: files) }
        return ReloadReport(ok: true, warnings: warnings, changes: plan.changes)
    }

    private func adopt(_ target: ServeConfiguration, _ context: QUICTLSContext, after files: FileDigests) async {
        // A ticket key that is too old was replaced just now.
        let now = await FileThread.run { FileDigests(target) } ?? files
        state.adopt(target, now.adopted(after: files))
        await state.hosts?.adopt(target, serverConfiguration(target, context))
        await CertificateReminder(logger: logger) { CredentialFiles(target).warnings }.warn()
        logger.notice("certificates and keys reloaded", metadata: ["reason": "reload requested", "leg": "client"])
    }

    /// The service listens.
    ///
    /// - Parameter configuration: What it began to listen with. A reload may have come in between.
    func begin(_ hosts: ServeHosts, after configuration: ServeConfiguration) async {
        let present = state.began(hosts)
        guard present != configuration else { return }
        await hosts.adopt(present, serverConfiguration(present, tls.current))
    }
}
