import BridgeCore

/// A configuration that is usable as it is, and what its operator should know about it.
package struct Loaded<Configuration: Sendable>: Sendable {
    package var configuration: Configuration
    /// Full sentences with their place, in the order found. None of them stops the program.
    package var warnings: [String]
    /// What the environment and `.env` have overridden of the file, with both places.
    package var notes: [String]
    /// Where each value that is not a default was written, by key path (`uplink.host`).
    package var origins: [String: Origin]

    init(_ configuration: Configuration, _ settings: Settings, _ diagnostics: Diagnostics) {
        self.configuration = configuration
        self.warnings = diagnostics.warnings
        self.notes = settings.overridden
        self.origins = settings.origins
    }
}

/// Of `run`.
package typealias LoadedConfiguration = Loaded<BridgeConfiguration>
/// Of `serve`.
package typealias LoadedServeConfiguration = Loaded<ServeConfiguration>
