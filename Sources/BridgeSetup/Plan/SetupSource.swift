import BridgeConfig
import BridgeCore

/// What `init` reads: a bundle that is a folder, a zip file or a `.env`, or nothing but the options.
package enum SetupSource: Sendable {
    case folder(String)
    case zip(String)
    case dotEnv(String)
    case options

    /// The source at a path that the operator gave.
    package static func at(_ path: String) throws(SetupProblem) -> SetupSource {
        guard NewFile.exists(path) else {
            throw SetupProblem("\(path): no such file or folder; give a bundle: a folder, a zip file or a .env file")
        }
        if NewFile.isFolder(path) { return .folder(path) }
        return isZip(path) ? .zip(path) : .dotEnv(path)
    }

    /// What can be a bundle in the folder of credentials, or beside the configuration file, sorted by path.
    package static func candidates(_ paths: SetupPaths) -> [SetupSource] {
        let folder = paths.credentials
        if isBundle(folder) { return [.folder(folder)] }
        let inside = FolderListing.names(in: folder).compactMap { name -> SetupSource? in
            let path = SetupPaths.join(folder, name)
            if isBundle(path) { return .folder(path) }
            return name.lowercased().hasSuffix(".zip") && !NewFile.isFolder(path) ? .zip(path) : nil
        }
        guard inside.isEmpty else { return withoutUnpacked(inside) }
        let dotEnv = SetupPaths.join(paths.folder == "." ? "" : paths.folder, ".env")
        return NewFile.exists(dotEnv) ? [.dotEnv(dotEnv)] : []
    }

    package var path: String? {
        switch self {
        case .folder(let path), .zip(let path), .dotEnv(let path): path
        case .options: nil
        }
    }

    /// A zip file beside the folder that it was unpacked to is the same bundle.
    private static func withoutUnpacked(_ sources: [SetupSource]) -> [SetupSource] {
        let folders = Set(sources.compactMap { if case .folder(let path) = $0 { path } else { nil } })
        return sources.filter { if case .zip(let path) = $0 { !folders.contains(unpacked(path)) } else { true } }
    }

    /// Where the files of a zip file go, if that is beside it.
    static func unpacked(_ path: String) -> String {
        path.lowercased().hasSuffix(".zip") ? String(path.dropLast(4)) : path
    }

    private static func isBundle(_ path: String) -> Bool {
        BundleFile.allCases.contains { file in
            file != .authorities && NewFile.exists(SetupPaths.join(path, file.rawValue))
        }
    }

    private static func isZip(_ path: String) -> Bool {
        guard !path.lowercased().hasSuffix(".zip") else { return true }
        return ArchiveHead.isZip(FolderListing.firstBytes(of: path))
    }
}
