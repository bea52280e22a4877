/// Turns the paths of a configuration into paths that can be opened.
package enum PathResolver {
    /// `path` itself if it is absolute; otherwise `path` inside `folder`.
    package static func resolve(_ path: String, in folder: String) -> String {
        if path.hasPrefix("/") || folder.isEmpty || folder == "." { return path }
        let trimmed = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return folder.hasSuffix("/") ? folder + trimmed : folder + "/" + trimmed
    }

    /// The folder that contains `path`; empty for the working directory.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
