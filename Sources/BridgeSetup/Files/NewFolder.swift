#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes a folder with files, all at once: either it is there with everything in it, or nothing is.
enum NewFolder {
    /// - Parameters:
    ///   - path: Must not exist. Its parent must.
    ///   - files: Names without folders, and contents. Only their owner may read them.
    static func write(_ files: [Archive.Entry], to path: String) throws(SetupProblem) {
        guard !NewFile.exists(path) else { throw NewFile.problem(path, EEXIST) }
        // In the same parent, because a folder can only be renamed within its file system.
        guard let draft = temporaryFolder(beside: path) else { throw NewFile.problem(path, errno) }
        do throws(SetupProblem) {
            for file in files {
                try NewFile.write(file.bytes, to: "\(draft)/\(file.name)", mode: NewFile.secretMode)
            }
            guard rename(draft, path) == 0 else {
                throw NewFile.problem(path, errno == ENOTEMPTY || errno == ENOTDIR ? EEXIST : errno)
            }
        } catch {
            remove(draft, files)
            throw error
        }
    }

    /// Removes what ``write(_:to:)`` has made.
    static func remove(_ path: String, _ files: [Archive.Entry]) {
        for file in files { unlink("\(path)/\(file.name)") }
        rmdir(path)
    }

    /// A new folder that only its owner may enter.
    private static func temporaryFolder(beside path: String) -> String? {
        var template = Array("\(path).XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, mkdtemp(start) != nil else { return nil }
            return String(cString: start)
        }
    }
}
