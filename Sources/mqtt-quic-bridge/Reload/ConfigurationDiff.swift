import ArgumentParser
import BridgeConfig
import BridgeCore
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a reload from one configuration file to another would do, for `check`.
enum ConfigurationDiff {
    /// Compares the configuration with another file, without a running program. The contents of the files that both name
    /// are the same for both, so only other paths are a change.
    ///
    /// - Parameters:
    ///   - old: The path of the other file. It is read as if it were in the place of the new one: with the same `.env`, and
    ///     with paths that start in the same folder.
    /// - Returns: The report. Throws ``ExitCode/configuration`` if the other file has errors, which are printed.
    static func report<Configuration: Reloadable>(
        of new: Configuration, since old: String, _ subject: ConfigurationLoader.Subject<Configuration>,
        _ options: ConfigurationOptions
    ) throws -> ReloadReport {
        guard let text = try? String(contentsOfFile: old, encoding: .utf8) else {
            StandardError.write("\(old): cannot be read, or is not UTF-8\n")
            throw ExitCode.configuration
        }
        let folder = options.file.map(PathResolver.folder) ?? ""
        let envFile = options.envFile ?? PathResolver.resolve(".env", in: folder)
        do {
            let loaded = try ConfigurationLoader.load(
                subject, text: text, name: old, folder: folder,
                dotEnv: try? String(contentsOfFile: envFile, encoding: .utf8),
                environment: ProcessInfo.processInfo.environment, cores: System.coreCount)
            return ReloadReport(ok: true, changes: ReloadPlan(from: loaded.configuration, to: new).changes)
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.configuration
        }
    }

    /// The changes as lines of text, one paragraph for those that a reload applies and one for the others.
    ///
    /// - Parameter isDone: Whether it has been reloaded; otherwise the text says what would be.
    static func render(_ report: ReloadReport, isDone: Bool = false) -> String {
        let nothing = isDone ? "The reload changed nothing" : "A reload would change nothing"
        let applied = report.changes.filter { $0.effect == .applied }
        let waiting = report.changes.filter { $0.effect == .needsRestart }
        guard report.ok else {
            return report.errors.isEmpty
                ? paragraph("\(nothing), because this needs a restart:", waiting)
                : "\(nothing), because the program cannot use what it reads:\n"
                    + report.errors.map { "  \($0)\n" }.joined()
        }
        guard !report.changes.isEmpty else { return "\(nothing).\n" }
        let ended = isDone ? "Devices that were disconnected" : "Devices that would be disconnected"
        return paragraph(isDone ? "Applied:" : "A reload would apply:", applied)
            + paragraph(isDone ? "This needs a restart:" : "This would need a restart:", waiting)
            + (report.devicesEnded == 0 ? "" : "\(ended): \(report.devicesEnded)\n")
    }

    private static func paragraph(_ title: String, _ changes: [ReloadReport.Change]) -> String {
        guard !changes.isEmpty else { return "" }
        return "\(title)\n" + changes.map { "  \($0.key): \($0.detail)\n" }.joined()
    }
}
