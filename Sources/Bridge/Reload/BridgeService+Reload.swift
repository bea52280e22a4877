import BridgeCore
import NIOCore

extension BridgeService {
    package var configuration: BridgeConfiguration { shared.configuration }

    package func reload(
        _ new: BridgeConfiguration, isDryRun: Bool, isAllOrNothing: Bool
    ) async throws -> ReloadReport {
        let shared = shared
        let present = shared.generation
        let result = await FileThread.run {
            Result {
                let (plan, files) = try Self.prepare(new, present)
                let warnings = Self.warnings(plan.target)
                let isWanted = !isDryRun && plan.refusal(isAllOrNothing: isAllOrNothing) == nil
                let next = isWanted ? try Self.next(plan.target, files, present, shared) : nil
                let rules = try next?.rules ?? Self.rules(plan.target, present, shared)
                return (plan, warnings, next, rules)
            }
        }
        guard let result else { return ReloadReport(ok: false, errors: ["the program is ending"]) }
        let (plan, warnings, next, rules) = try result.get()
        if let refusal = plan.refusal(isAllOrNothing: isAllOrNothing) { return refusal }
        if let next {
            await adopt(next)
            await FileThread.run { CredentialFiles(plan.target).logWarnings(shared.logger) }
        }
        var report = ReloadReport(ok: true, warnings: warnings, changes: plan.changes)
        if plan.changesRules(since: present.configuration) {
            report.devicesEnded = await review(rules, isDryRun: isDryRun)
        }
        return report
    }

    private static func next(
        _ target: BridgeConfiguration, _ files: FileDigests, _ present: Generation, _ shared: SharedState
    ) throws -> Generation {
        try CredentialFiles(target).explaining {
            try present.next(
                target, files: files, budget: shared.holdBudget, probing: shared.probing,
                bundles: shared.openBundles, logger: shared.logger)
        }
    }

    /// The rules that a reload would put in force.
    private static func rules(
        _ target: BridgeConfiguration, _ present: Generation, _ shared: SharedState
    ) throws -> SessionRules {
        try CredentialFiles(target).explaining {
            let bundles = try DeviceBundles.of(target, after: present.bundles, shared.openBundles)
            return try SessionRules(target, bundles: bundles?.live)
        }
    }

    /// Reads every file that a start with this configuration reads, and compares it with the one in force.
    private static func prepare(
        _ new: BridgeConfiguration, _ present: Generation
    ) throws -> (ReloadPlan<BridgeConfiguration>, FileDigests) {
        // This comes before reading, so that a change in between is noticed by the next reload.
        let changed = FileDigests(new).changes(since: present.files)
        let plan = ReloadPlan(from: present.configuration, to: new, files: changed)
        let files = FileDigests(plan.target).adopted(after: present.files)
        try CredentialFiles(new).explaining { try SharedState.check(new) }
        return (plan, files)
    }

    private static func warnings(_ configuration: BridgeConfiguration) -> [String] {
        let files = CredentialFiles(configuration)
        return files.warnings + files.usersWarnings
    }

    private func adopt(_ next: Generation) async {
        shared.adopt(next)
        for host in shared.loops.withLock({ $0 }) {
            try? await host.eventLoop.submit { host.value.adopt(next) }.get()
        }
    }

    private func review(_ rules: SessionRules, isDryRun: Bool) async -> Int {
        var count = 0
        for host in shared.loops.withLock({ $0 }) {
            let part = host.eventLoop.flatSubmit { host.value.review(rules, isDryRun: isDryRun) }
            count += (try? await part.get()) ?? 0
        }
        return count
    }
}

extension ReloadPlan<BridgeConfiguration> {
    /// Whether devices that are connected may have another identity or other topics from now on.
    fileprivate func changesRules(since old: BridgeConfiguration) -> Bool {
        target.routes != old.routes || target.unrouted != old.unrouted || target.platform != old.platform
            || target.auth != old.auth
    }
}
