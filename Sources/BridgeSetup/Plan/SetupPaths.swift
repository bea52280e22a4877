#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where `init` writes, and how the file that it writes names other files.
package struct SetupPaths: Sendable, Equatable {
    /// The configuration file.
    package let file: String
    /// Its folder; `.` for the working directory.
    package let folder: String

    /// - Parameter output: A file, or a folder in which the file is called `bridge.yaml`.
    package init(output: String) {
        let isFolder = output.hasSuffix("/") || NewFile.isFolder(output)
        file = isFolder ? Self.join(output, "bridge.yaml") : output
        folder = Self.parent(of: file)
    }

    /// The folder for bundles and passwords.
    package var credentials: String { Self.join(folder == "." ? "" : folder, "credential_certificates") }

    /// The path as it is written into the configuration file: relative to its folder if it is inside.
    func written(_ path: String) -> String {
        let whole = Self.absolute(path)
        let root = Self.absolute(folder)
        let prefix = root == "/" ? "/" : root + "/"
        return whole.hasPrefix(prefix) ? String(whole.dropFirst(prefix.count)) : whole
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func name(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// Without symbolic links, as far as the path exists.
    static func absolute(_ path: String) -> String {
        if let real = realpath(path, nil) {
            defer { free(real) }
            return String(cString: real)
        }
        let parent = parent(of: path)
        // A parent that does not exist either is left as it is.
        guard parent != path, let real = realpath(parent, nil) else { return path }
        defer { free(real) }
        return join(String(cString: real), name(of: path))
    }
}
