/// What it takes to get from the configuration in force to another one, key by key.
package struct ReloadPlan<Configuration: Reloadable>: Sendable {
    /// One entry for each key that differs.
    package let changes: [ReloadReport.Change]
    /// The configuration that can be in force without a restart: the new one, with the previous values of the keys that
    /// need one.
    package let target: Configuration

    /// - Parameters:
    ///   - files: The keys that name a file whose contents have changed, whether its path has or not.
    package init(from old: Configuration, to new: Configuration, files: Set<String> = []) {
        var changes: [ReloadReport.Change] = []
        var target = new
        for rule in Configuration.reloadRules {
            let differs = rule.differs(old, new)
            guard differs || !files.isDisjoint(with: rule.keys) else { continue }
            let (effect, detail) = rule.outcome(old, new)
            if effect == .restart { rule.restore(old, &target) }
            changes.append(
                ReloadReport.Change(
                    key: rule.keys[0], effect: effect == .restart ? .needsRestart : .applied,
                    detail: differs ? detail : "the contents of the file have changed: \(detail)"))
        }
        self.changes = changes
        self.target = target
    }

    /// Whether something has to wait for a restart.
    package var needsRestart: Bool { changes.contains { $0.effect == .needsRestart } }

    /// The report about a reload that only applies all of it or nothing; `nil` if it can be applied. It has no errors,
    /// because nothing is wrong with the configuration: the changes say what needs a restart.
    package func refusal(isAllOrNothing: Bool) -> ReloadReport? {
        isAllOrNothing && needsRestart ? ReloadReport(ok: false, changes: changes) : nil
    }
}
