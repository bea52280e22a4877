/// A Swift package whose code is in this program. The build writes `all` (Plugins/RecordDependencies).
struct SwiftPackage: Codable, Equatable {
    let name: String
    /// "local" for a package from a folder.
    let version: String
    /// Where the package manager took it from: a URL or a registry's identity; empty for a package from a folder.
    let location: String
}
