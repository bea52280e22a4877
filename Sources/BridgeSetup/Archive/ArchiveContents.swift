import BridgeCore

/// The files of a zip file while it is read, and what it may contain.
struct ArchiveContents {
    let limits: ArchiveLimits
    private var entries: [(name: ArchiveName, bytes: [UInt8])] = []
    private var keys: Set<String> = []
    private var count = 0
    private var size = 0

    init(limits: ArchiveLimits) {
        self.limits = limits
    }

    /// How many bytes the next entry may have.
    var room: Int { min(limits.entrySize, limits.totalSize - size) }

    /// The entry, if its content is wanted.
    ///
    /// - Throws: A bundle cannot have such an entry.
    mutating func admit(_ head: ArchiveHead) throws(SetupProblem) -> ArchiveHead? {
        count += 1
        guard count <= limits.entries else {
            throw SetupProblem("has more than \(limits.entries) entries; a bundle has about four")
        }
        let name = try ArchiveName(head.name)
        let quoted = String(decoding: head.name, as: UTF8.self).quotedForMessage(limit: 80)
        guard keys.insert(name.key).inserted else { throw SetupProblem("the entry \(quoted) is there twice") }
        if head.isSpecial { throw SetupProblem("the entry \(quoted) is a symbolic link or another special file") }
        if head.isEncrypted {
            throw SetupProblem("the entry \(quoted) is encrypted; unpack it by hand and name the folder")
        }
        if name.isFolder || name.isJunk { return nil }
        if name.name.lowercased().hasSuffix(".zip") {
            throw SetupProblem("the entry \(quoted) is a zip file itself; unpack it by hand and name the folder")
        }
        guard head.size <= UInt64(limits.entrySize) else {
            throw SetupProblem("the entry \(quoted) has \(head.size) bytes; the most is \(limits.entrySize)")
        }
        guard head.size <= UInt64(max(room, 0)) else {
            throw SetupProblem("has more than \(limits.totalSize) bytes when it is unpacked")
        }
        return head
    }

    mutating func add(_ bytes: [UInt8], as head: ArchiveHead) throws(SetupProblem) {
        let name = try ArchiveName(head.name)
        if ArchiveHead.isZip(bytes) {
            let quoted = name.name.quotedForMessage(limit: 80)
            throw SetupProblem("the entry \(quoted) is a zip file itself; unpack it by hand and name the folder")
        }
        size += bytes.count
        entries.append((name, bytes))
    }

    /// The files without the folder that all of them are in.
    func files() throws(SetupProblem) -> [Archive.Entry] {
        guard let first = entries.first else { throw SetupProblem("has no files in it") }
        guard entries.allSatisfy({ $0.name.folder == first.name.folder }) else {
            throw SetupProblem(
                "has files in several folders; a zip file with one bundle has them in one folder or none")
        }
        return entries.map { Archive.Entry(name: $0.name.name, bytes: $0.bytes) }
    }
}
