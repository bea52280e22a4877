import BridgeCore
import CMinizip

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads the files of a zip file into memory, by the library minizip.
///
/// Everything in the file may be wrong or hostile. An entry that a bundle cannot have makes the whole file unusable, so
/// that nobody wonders what was left out.
package enum Archive {
    /// A file of the archive, without the folder that all of them are in.
    package struct Entry: Sendable, Equatable {
        package var name: String
        package var bytes: [UInt8]
    }

    /// - Throws: What makes the file unusable.
    package static func read(_ path: String, limits: ArchiveLimits = ArchiveLimits()) throws(SetupProblem) -> [Entry] {
        do {
            try checkFile(path, limits)
            guard let handle = unzOpen64(path) else { throw SetupProblem("is not a zip file, or it is damaged") }
            defer { unzClose(handle) }
            var contents = ArchiveContents(limits: limits)
            try readAll(ArchiveHandle(handle: handle), into: &contents)
            return try contents.files()
        } catch {
            throw SetupProblem("\(path): \(error)")
        }
    }

    private static func checkFile(_ path: String, _ limits: ArchiveLimits) throws(SetupProblem) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SetupProblem(String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SetupProblem("is not a file") }
        guard status.st_size <= limits.fileSize else {
            throw SetupProblem("is larger than \(limits.fileSize) bytes; a bundle has a few KB")
        }
    }

    private static func readAll(_ handle: ArchiveHandle, into contents: inout ArchiveContents) throws(SetupProblem) {
        guard try handle.goToFirst() else { return }
        repeat {
            guard let head = try contents.admit(try handle.head()) else { continue }
            let bytes = try handle.content(upTo: contents.room, of: head)
            try contents.add(bytes, as: head)
        } while try handle.goToNext()
    }
}
