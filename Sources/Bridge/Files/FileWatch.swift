import NIOPosix

/// Tells when files have changed: looked at now and then, which works on every file system and in every container.
struct FileWatch: Sendable {
    /// Between two looks.
    private static let interval = Duration.seconds(5)

    private let paths: [String]
    private let atFirst: [FileStamp?]

    /// To be made before the files are read: what changes from now on is told of.
    init(_ paths: [String]) {
        self.paths = paths
        self.atFirst = Self.stamps(paths)
    }

    /// Calls `changed` each time, until it is cancelled. Files that change one after the other are told of once they
    /// have stayed the same for a while.
    func run(_ changed: () async -> Void) async {
        var used = atFirst
        var last = used
        while (try? await Task.sleep(for: Self.interval)) != nil {
            // A file system may take its time.
            let paths = paths
            guard let now = await FileThread.run({ Self.stamps(paths) }) else { return }
            if now == last, now != used {
                used = now
                await changed()
            }
            last = now
        }
    }

    private static func stamps(_ paths: [String]) -> [FileStamp?] {
        paths.map { FileStamp(path: $0) }
    }
}

/// Where files are read, so that no event loop and no thread of Swift's waits for a disk.
enum FileThread {
    /// Nil where the process is at its end.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        try? await NIOThreadPool.singleton.runIfActive { body() }
    }
}
