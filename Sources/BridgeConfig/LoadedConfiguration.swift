import BridgeCore

/// A configuration that is usable as it is, and what its operator should know about it.
package struct LoadedConfiguration: Sendable {
    package var configuration: BridgeConfiguration
    /// Full sentences with their place, in the order found. None of them stops the bridge.
    package var warnings: [String]
    /// Where each value that is not a default was written, by key path (`uplink.host`).
    package var origins: [String: Origin]

    package init(configuration: BridgeConfiguration, warnings: [String], origins: [String: Origin]) {
        self.configuration = configuration
        self.warnings = warnings
        self.origins = origins
    }
}
