import BridgeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The names of the folders in a folder of bundles. Hidden ones and plain files are none.
struct BundleListing {
    /// In the order of their bytes.
    private(set) var names: [String] = []
    /// What looks like a bundle, or a part of one, and is not looked at.
    private(set) var leftOut: [BundleBook.Problem] = []

    /// More than this are not even listed.
    private static let mostEntries = 100_000

    /// Throws ``UnreadableBundles``.
    init(_ folder: String, maximumCount: Int) throws(UnreadableBundles) {
        let path = folder.isEmpty ? "." : folder
        guard let stream = opendir(path) else {
            let other = String(cString: strerror(errno))
            throw UnreadableBundles(folder: folder, message: FolderAccess.problemWithListing(path) ?? other)
        }
        defer { closedir(stream) }
        var misplaced: [String] = []
        var count = 0
        while let entry = readdir(stream), count < Self.mostEntries {
            count += 1
            let name = FolderAccess.name(of: entry)
            if name.hasPrefix(".") {
                if name == BundleFile.dotEnv.rawValue { misplaced.append(name) }
            } else if Self.isFolder(entry, PathResolver.resolve(name, in: folder)) {
                names.append(name)
            } else if name.hasSuffix(".zip") || BundleFile(rawValue: name).map({ $0 != .authorities }) == true {
                misplaced.append(name)
            }
        }
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        leftOut = misplaced.sorted().prefix(10).map { Self.problem(withMisplaced: $0, in: folder) }
        guard names.count > maximumCount || count == Self.mostEntries else { return }
        names.removeLast(max(0, names.count - maximumCount))
        let text =
            count == Self.mostEntries
            ? "has more than \(Self.mostEntries) entries; keep the bundles, and nothing else, in a folder of their own"
            : "has more than \(maximumCount) folders; those behind \(names.last ?? "") are left out"
        leftOut.append(.init(.leftOut, "\(folder): \(text)"))
    }

    private static func problem(withMisplaced name: String, in folder: String) -> BundleBook.Problem {
        let path = PathResolver.resolve(name, in: folder)
        return name.hasSuffix(".zip")
            ? .init(.leftOut, "\(path): is not read; unpack it into a folder of its own")
            : .init(.leftOut, "\(path): is not read; a bundle goes into a folder of its own, one per device")
    }

    /// Links are followed here. Where they lead is checked before anything is read.
    private static func isFolder(_ entry: UnsafeMutablePointer<dirent>, _ path: String) -> Bool {
        if Int(entry.pointee.d_type) == Int(DT_DIR) { return true }
        guard Int(entry.pointee.d_type) == Int(DT_LNK) || Int(entry.pointee.d_type) == Int(DT_UNKNOWN) else {
            return false
        }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
