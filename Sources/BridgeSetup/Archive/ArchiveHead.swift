/// What the directory of a zip file says about an entry. Nothing of it is to be trusted.
struct ArchiveHead: Sendable {
    var name: [UInt8]
    /// In bytes; what is really in the entry may be more.
    var size: UInt64
    /// Bit 0 of the general purpose flags (APPNOTE 4.4.4).
    var isEncrypted: Bool
    /// The upper half of the external attributes, if a Unix system has made the entry: type and mode as of `stat`.
    var unixMode: UInt32?

    /// Whether the entry is something other than a file or a folder, such as a symbolic link.
    var isSpecial: Bool {
        guard let unixMode else { return false }
        // Many archivers leave the type out.
        return ![0, 0o100000, 0o040000].contains(unixMode & 0o170000)
    }

    /// Whether bytes that begin like these are a zip file.
    static func isZip(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06])
    }
}
