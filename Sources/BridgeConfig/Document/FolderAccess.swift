#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What this process may do in a folder, and the names in it.
package enum FolderAccess {
    /// The name of what `readdir` has found.
    package static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
        }
    }

    /// Why no file can be made in the folder `path`; `nil` if this process may write there.
    static func problemWithWriting(into path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "no such folder; make it first" }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "is not a folder" }
        return access(path, W_OK | X_OK) == 0 ? nil : "this user may not write there"
    }

    /// Why the names in the folder `path` can't be listed; `nil` if this process may do so.
    static func problemWithListing(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "no such folder" }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "is not a folder" }
        return access(path, R_OK | X_OK) == 0 ? nil : "this user may not look into it; check owner and mode"
    }
}
