import NIOPosix

/// Reports when files have changed. It polls them, which works on every file system and in every container.
struct FileWatch: Sendable {
    /// The time between two polls.
    private static let interval = Duration.seconds(5)

    private let paths: @Sendable () -> [String]
    private let atFirst: [FileStamp?]

    /// Create this before reading the files, because it reports the changes that follow.
    init(_ paths: [String]) {
        self.init { paths }
    }

    /// - Parameter paths: The files to watch now. Others in their place are a change.
    init(_ paths: @escaping @Sendable () -> [String]) {
        self.paths = paths
        self.atFirst = Self.stamps(paths())
    }

    /// Calls `changed` after each change, until the task is cancelled. Files that change one after another are reported
    /// once, when none has changed between two polls.
    func run(_ changed: () async -> Void) async {
        var used = atFirst
        var last = used
        while (try? await Task.sleep(for: Self.interval)) != nil {
            // A file system may be slow.
            let paths = paths
            guard let now = await FileThread.run({ Self.stamps(paths()) }) else { return }
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

/// Reads files on a separate thread, so that no event loop and no thread of Swift concurrency waits for the disk.
package enum FileThread {
    /// Returns `nil` if the process is ending.
    @discardableResult
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        try? await NIOThreadPool.singleton.runIfActive { body() }
    }
}
