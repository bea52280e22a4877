#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Looks into folders and files that may not be there.
enum FolderListing {
    private static let maximumNames = 10_000

    /// The sorted names in a folder, without hidden ones; empty if it cannot be read.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder), names.count < maximumNames {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The first four bytes of a regular file; empty if it cannot be read.
    static func firstBytes(of path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return Array(bytes.prefix(max(count, 0)))
    }
}

extension FolderListing {
    struct Content {
        var bytes: [UInt8]
        var isReadableByOthers: Bool
    }

    /// A whole regular file.
    ///
    /// - Parameter maximumSize: In bytes; a larger file is refused.
    static func content(of path: String, maximumSize: Int) throws(SetupProblem) -> Content {
        // A pipe in the file's place would block otherwise.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SetupProblem("\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SetupProblem("\(path): is not a file")
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = piece.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, bytes.count) }
            guard count >= 0 else { throw SetupProblem("\(path): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            bytes += piece[..<count]
            guard bytes.count <= maximumSize else { throw SetupProblem("\(path): is larger than \(maximumSize) bytes") }
        }
        return Content(bytes: bytes, isReadableByOthers: status.st_mode & (S_IRGRP | S_IROTH) != 0)
    }
}
