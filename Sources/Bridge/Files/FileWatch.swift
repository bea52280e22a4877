import NIOPosix

/// Tells when files have changed: looked at now and then, which works on every file system and in every container.
struct FileWatch {
    /// Between two looks.
    static let interval = Duration.seconds(5)

    /// What there is to be watched; asked for at each look.
    let paths: @Sendable () -> [String]

    /// Calls `changed` each time, until it is cancelled. Files that change one after the other are told of once they
    /// have stayed the same for a while.
    func run(_ changed: () async -> Void) async {
        var used = await stamps()
        var last = used
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let now = await stamps()
            if now == last, now != used {
                used = now
                await changed()
            }
            last = now
        }
    }

    /// A file system may take its time.
    private func stamps() async -> [FileStamp?] {
        let paths = paths
        return (try? await NIOThreadPool.singleton.runIfActive { paths().map { FileStamp(path: $0) } }) ?? []
    }
}
