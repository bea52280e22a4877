import Foundation
import PackagePlugin

/// Tells the program which packages it is built from: writes a source file with their versions, as the package manager has
/// resolved them for this very build.
@main
struct RecordDependencies: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let output = context.pluginWorkDirectoryURL.appending(path: "SwiftPackage+All.swift")
        return [
            .buildCommand(
                displayName: "Recording the packages that \(target.name) is built from",
                executable: try context.tool(named: "record-dependencies").url,
                // The command runs again if one of its arguments has changed.
                arguments: [output.path(percentEncoded: false)] + used(by: target, in: context.package).flatMap(fields),
                outputFiles: [output])
        ]
    }

    /// The packages, other than the target's own, whose code is in the target; by name.
    private func used(by target: any Target, in package: Package) -> [Package] {
        let linked = Set(target.recursiveTargetDependencies.map(\.id))
        return all(below: package).filter { $0.targets.contains { linked.contains($0.id) } }
            .sorted { $0.displayName.lowercased() < $1.displayName.lowercased() }
    }

    private func all(below root: Package) -> [Package] {
        var found: [Package.ID: Package] = [:]
        var open = root.dependencies.map(\.package)
        while let package = open.popLast() {
            guard found[package.id] == nil else { continue }
            found[package.id] = package
            open += package.dependencies.map(\.package)
        }
        return Array(found.values)
    }

    /// Name, version and location. The package manager gives build tools no revision; Package.resolved has it.
    private func fields(_ package: Package) -> [String] {
        switch package.origin {
        case .repository(let url, let version, _): [package.displayName, version, url]
        case .registry(let identity, let version): [package.displayName, version, identity]
        case .local, .root: [package.displayName, "local", ""]
        @unknown default: [package.displayName, "unknown", ""]
        }
    }
}
