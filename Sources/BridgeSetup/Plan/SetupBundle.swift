import BridgeConfig
import BridgeCore

/// A bundle that was read, and what has to be written before the configuration can name its files.
struct SetupBundle {
    var bundle: DeviceBundle
    /// The folder with its files, where they are or will be.
    var folder: String
    /// The files to write into that folder; empty if they are there.
    var unpacked: [Archive.Entry] = []
    /// Whether the program reads the bundle's `.env` itself, because it is beside the configuration file.
    var isReadBesides = false

    /// - Throws: What makes the source unusable.
    static func read(_ source: SetupSource, _ paths: SetupPaths) throws -> SetupBundle? {
        switch source {
        case .options: return nil
        case .folder(let path): return SetupBundle(bundle: try BundleFolder.read(path), folder: path)
        case .zip(let path): return try zip(path, paths)
        case .dotEnv(let path): return try dotEnv(path, paths)
        }
    }

    private static func zip(_ path: String, _ paths: SetupPaths) throws -> SetupBundle {
        let entries = try Archive.read(path)
        let name = SetupPaths.name(of: SetupSource.unpacked(path))
        guard !name.isEmpty, name != "." && name != ".." else {
            throw SetupProblem("\(path): the file needs a name that a folder can have")
        }
        var files: [BundleFile: [UInt8]] = [:]
        for entry in entries { BundleFile(rawValue: entry.name).map { files[$0] = entry.bytes } }
        let contents = BundleContents(place: path, files: files, otherNames: Set(entries.map(\.name)))
        let bundle = try BundleReader.read(contents)
        let folder = SetupPaths.join(paths.credentials, name)
        guard !NewFile.exists(folder) else {
            throw SetupProblem("\(folder) is in the way of \(path): name that folder instead, or move it away")
        }
        return SetupBundle(bundle: bundle, folder: folder, unpacked: entries)
    }

    private static func dotEnv(_ path: String, _ paths: SetupPaths) throws -> SetupBundle {
        let folder = SetupPaths.parent(of: path)
        let content = try FileText.content(of: path, maximumSize: BundleFile.maximumSize)
        let contents = BundleContents(
            place: folder, files: [.dotEnv: content.bytes], otherNames: Set(FolderListing.names(in: folder)),
            readableByOthers: content.isReadableByOthers ? [.dotEnv] : [])
        let isBesides =
            SetupPaths.name(of: path) == ".env" && SetupPaths.absolute(folder) == SetupPaths.absolute(paths.folder)
        return SetupBundle(bundle: try BundleReader.read(contents), folder: folder, isReadBesides: isBesides)
    }
}
