#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads a bundle from a folder.
package enum BundleFolder {
    /// - Throws: What makes the folder unreadable, or its bundle: see ``BundleReader/read(_:)``.
    package static func read(_ path: String) throws(ConfigurationErrors) -> DeviceBundle {
        try BundleReader.read(try contents(path))
    }

    /// The files of the bundle in a folder. Folders in it are not searched.
    ///
    /// - Parameter parent: A folder that this one has to be in, if it is a symbolic link; `nil` if it may be anywhere.
    /// - Throws: What is wrong with the folder, or with files that are there and cannot be read. A symbolic link is
    ///   followed within the folder only.
    package static func contents(
        _ path: String, in parent: String? = nil
    ) throws(ConfigurationErrors) -> BundleContents {
        let diagnostics = Diagnostics()
        var files: [BundleFile: [UInt8]] = [:]
        var otherNames: Set<String> = []
        var readableByOthers: Set<BundleFile> = []
        do {
            let folder = try Folder(path)
            if let parent { try folder.check(isIn: try Folder(parent)) }
            for file in BundleFile.allCases {
                guard let content = folder.content(of: file.rawValue, diagnostics) else { continue }
                files[file] = content.bytes
                if content.isReadableByOthers { readableByOthers.insert(file) }
            }
            otherNames = folder.certificateNames()
        } catch {
            diagnostics.error(Origin(.nowhere(name: path)), nil, error.message)
        }
        try diagnostics.throwIfAny()
        return BundleContents(
            place: path, files: files, otherNames: otherNames, readableByOthers: readableByOthers)
    }
}

private struct Folder {
    let path: String
    /// Without symbolic links.
    let realPath: String

    init(_ path: String) throws(FileText.Problem) {
        self.path = path
        guard let real = Self.realPath(of: path) else {
            throw FileText.Problem(message: errno == ENOENT ? "no such folder" : String(cString: strerror(errno)))
        }
        if let problem = FolderAccess.problemWithListing(real) { throw FileText.Problem(message: problem) }
        realPath = real
    }

    func check(isIn parent: Folder) throws(FileText.Problem) {
        guard realPath.hasPrefix(parent.prefix) else {
            let advice = "put the bundle itself there"
            throw FileText.Problem(message: "is a symbolic link out of \(parent.path); \(advice)")
        }
    }

    /// What the real paths of everything in this folder begin with.
    private var prefix: String { realPath.hasSuffix("/") ? realPath : realPath + "/" }

    /// `nil` if there is no such file. What is wrong with one is reported.
    func content(of name: String, _ diagnostics: Diagnostics) -> FileText.Content? {
        let path = PathResolver.resolve(name, in: path)
        do {
            return try FileText.readRegular(try inside(name), maximumSize: BundleFile.maximumSize)
        } catch {
            if !error.isMissing { diagnostics.error(Origin(.nowhere(name: path)), nil, error.message) }
            return nil
        }
    }

    /// The path of a file without symbolic links, if it is in this folder.
    private func inside(_ name: String) throws(FileText.Problem) -> String {
        var status = stat()
        let path = PathResolver.resolve(name, in: realPath)
        guard let real = Self.realPath(of: path) else {
            if errno == ENOENT, lstat(path, &status) == 0 {
                throw FileText.Problem(message: "is a symbolic link to something that does not exist")
            }
            throw FileText.problem(errno)
        }
        guard real.hasPrefix(prefix) else {
            let advice = "a bundle is read from its own folder only; copy the file there"
            throw FileText.Problem(message: "is a symbolic link out of the folder; \(advice)")
        }
        return real
    }

    /// Files that `ca_file` may name, by their ends.
    func certificateNames() -> Set<String> {
        guard let folder = opendir(realPath) else { return [] }
        defer { closedir(folder) }
        var names: Set<String> = []
        while let entry = readdir(folder), names.count < 64 {
            let name = FolderAccess.name(of: entry)
            guard [".pem", ".crt", ".cer"].contains(where: name.hasSuffix), (try? inside(name)) != nil else { continue }
            names.insert(name)
        }
        return names
    }

    private static func realPath(of path: String) -> String? {
        guard let real = realpath(path.isEmpty ? "." : path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
