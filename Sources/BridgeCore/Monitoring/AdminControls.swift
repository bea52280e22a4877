/// What the admin endpoint can do besides ``MonitoredService``. The command line puts it together, because only it knows
/// the files of the configuration and the log.
package struct AdminControls: Sendable {
    /// Reads the configuration again and applies it; with `isDryRun` only says what would change.
    /// `nil`: this command cannot.
    package var reload: (@Sendable (_ isDryRun: Bool, _ isAllOrNothing: Bool) async -> ReloadReport)?
    /// The log level in force.
    package var logLevel: @Sendable () -> LogConfiguration.Level
    /// Changes the log level at once.
    package var setLogLevel: @Sendable (LogConfiguration.Level) -> Void
    /// What went wrong lately, the newest first; a bounded number.
    package var troubles: @Sendable () -> [Trouble]

    package init(
        reload: (@Sendable (_ isDryRun: Bool, _ isAllOrNothing: Bool) async -> ReloadReport)? = nil,
        logLevel: @escaping @Sendable () -> LogConfiguration.Level,
        setLogLevel: @escaping @Sendable (LogConfiguration.Level) -> Void,
        troubles: @escaping @Sendable () -> [Trouble]
    ) {
        self.reload = reload
        self.logLevel = logLevel
        self.setLogLevel = setLogLevel
        self.troubles = troubles
    }
}

/// What a reload did, or would do.
package struct ReloadReport: Codable, Sendable, Equatable {
    /// One key that differs from the configuration in force.
    package struct Change: Codable, Sendable, Equatable {
        /// When a change takes effect.
        package enum Effect: String, Codable, Sendable {
            /// In force from now on.
            case applied
            /// In force after a restart only.
            case needsRestart
        }

        /// The key as the configuration names it, such as `uplink.host`.
        package var key: String
        package var effect: Effect
        /// What it means for devices, in a sentence.
        package var detail: String

        package init(key: String, effect: Effect, detail: String) {
            self.key = key
            self.effect = effect
            self.detail = detail
        }
    }

    /// Whether the new configuration is in force (for a dry run: would be), as far as it needs no restart.
    package var ok: Bool
    /// Why not: each with file, line and what would be right. Empty if the only reason is that a change needs a restart,
    /// and all or nothing was asked for.
    package var errors: [String]
    /// What the operator should know about the new configuration although it can be used.
    package var warnings: [String]
    /// The keys that differ from the configuration in force.
    package var changes: [Change]
    /// How many devices' sessions ended because of it (for a dry run: would end).
    package var devicesEnded: Int

    package init(
        ok: Bool, errors: [String] = [], warnings: [String] = [], changes: [Change] = [], devicesEnded: Int = 0
    ) {
        self.ok = ok
        self.errors = errors
        self.warnings = warnings
        self.changes = changes
        self.devicesEnded = devicesEnded
    }
}
