#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One connection's qlog, as ngtcp2 writes it (`.sqlog`).
final class QLogFile {
    private let file: UnsafeMutablePointer<FILE>

    /// Nil without a folder.
    static func open(in folder: String?, role: String) throws(QUICError) -> QLogFile? {
        guard let folder else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let suffix = String(UInt32.random(in: .min ... .max), radix: 16)
        let path = "\(folder)/\(role)-\(now.tv_sec)-\(suffix).sqlog"
        guard let file = fopen(path, "we") else {
            throw .fileUnreadable(path: path, why: String(cString: strerror(errno)))
        }
        return QLogFile(takingOwnership: file)
    }

    private init(takingOwnership file: UnsafeMutablePointer<FILE>) {
        self.file = file
    }

    deinit {
        fclose(file)
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        fwrite(bytes.baseAddress, 1, bytes.count, file)
    }
}
