import BridgeCore

/// The same for `serve`.
package struct LoadedServeConfiguration: Sendable {
    package var configuration: ServeConfiguration
    /// Full sentences with their place, in the order found. None of them stops the server.
    package var warnings: [String]
    /// Where each value that is not a default was written, by key path (`serve.certificate`).
    package var origins: [String: Origin]

    package init(configuration: ServeConfiguration, warnings: [String], origins: [String: Origin]) {
        self.configuration = configuration
        self.warnings = warnings
        self.origins = origins
    }
}
