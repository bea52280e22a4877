import BridgeCore

/// A configuration without errors, and what its operator should know about it.
package struct Loaded<Configuration: Sendable>: Sendable {
    package var configuration: Configuration
    /// Warnings with their places, in the order in which they were found. None of them stops the program.
    package var warnings: [String]
    /// Which values of the file are overridden by the environment or `.env`.
    package var overridden: [OverriddenValue]
    /// Where each value that is not a default is written, by key path (`uplink.host`).
    package var origins: [String: Origin]
    /// Where each item of `routes` is written, in their order.
    package var routeOrigins: [Origin]

    init(_ configuration: Configuration, _ settings: Settings, _ diagnostics: Diagnostics) {
        self.configuration = configuration
        self.warnings = diagnostics.warnings
        self.overridden = settings.overridden
        self.origins = settings.origins
        self.routeOrigins = settings.nodes[.routes].map(Self.items(of:)) ?? Self.profileRoutes(settings)
        if settings.nodes[.routes] == nil, let origin = routeOrigins.first { origins[Key.routes.rawValue] = origin }
    }

    /// A line per overridden value, with both places.
    package var notes: [String] { overridden.map(\.description) }

    private static func profileRoutes(_ settings: Settings) -> [Origin] {
        ProfileDefaults(settings).map { Array(repeating: $0.origin, count: TESAIoT.routes.count) } ?? []
    }

    private static func items(of node: YAMLNode) -> [Origin] {
        if case .list(let items) = node.content { items.map(\.origin) } else { [] }
    }
}

/// The configuration of the command `run`.
package typealias LoadedConfiguration = Loaded<BridgeConfiguration>
/// The configuration of the command `serve`.
package typealias LoadedServeConfiguration = Loaded<ServeConfiguration>
