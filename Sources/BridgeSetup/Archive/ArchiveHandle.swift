import BridgeCore
import CMinizip

/// An open zip file, at one of its entries.
struct ArchiveHandle {
    let handle: unzFile

    private static let damaged = SetupProblem("is damaged")
    private static let pieceSize = 16_384

    /// Returns whether there is an entry.
    func goToFirst() throws(SetupProblem) -> Bool {
        var info = unz_global_info64()
        guard unzGetGlobalInfo64(handle, &info) == UNZ_OK else { throw Self.damaged }
        guard info.number_entry > 0 else { return false }
        guard unzGoToFirstFile(handle) == UNZ_OK else { throw Self.damaged }
        return true
    }

    /// Returns whether there is another entry.
    func goToNext() throws(SetupProblem) -> Bool {
        switch unzGoToNextFile(handle) {
        case UNZ_OK: return true
        case UNZ_END_OF_LIST_OF_FILE: return false
        default: throw Self.damaged
        }
    }

    func head() throws(SetupProblem) -> ArchiveHead {
        var info = unz_file_info64()
        // A name has 16 bits for its length (APPNOTE 4.4.10).
        var name = [CChar](repeating: 0, count: Int(UInt16.max) + 1)
        guard unzGetCurrentFileInfo64(handle, &info, &name, uLong(name.count), nil, 0, nil, 0) == UNZ_OK else {
            throw Self.damaged
        }
        let length = min(Int(info.size_filename), name.count)
        let madeByUnix = info.version >> 8 == 3 || info.version >> 8 == 19
        return ArchiveHead(
            name: name[..<length].map(UInt8.init(bitPattern:)), size: info.uncompressed_size,
            isEncrypted: info.flag & 1 != 0,
            unixMode: madeByUnix ? UInt32(truncatingIfNeeded: info.external_fa >> 16) : nil)
    }

    /// What is in the entry, as far as it may be.
    ///
    /// - Throws: The entry is damaged, or has more than `limit` bytes.
    func content(upTo limit: Int, of head: ArchiveHead) throws(SetupProblem) -> [UInt8] {
        let quoted = String(decoding: head.name, as: UTF8.self).quotedForMessage(limit: 80)
        let damaged = SetupProblem("the entry \(quoted) is damaged, or packed in a way that is not known here")
        guard unzOpenCurrentFile(handle) == UNZ_OK else { throw damaged }
        var isOpen = true
        defer { if isOpen { unzCloseCurrentFile(handle) } }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: Self.pieceSize)
        while true {
            let count = Int(unzReadCurrentFile(handle, &piece, UInt32(piece.count)))
            guard count >= 0 else { throw damaged }
            if count == 0 { break }
            guard bytes.count + count <= limit else {
                throw SetupProblem("the entry \(quoted) has more than \(limit) bytes, whatever its directory says")
            }
            bytes += piece[..<count]
        }
        isOpen = false
        // This is where minizip compares the checksum.
        guard unzCloseCurrentFile(handle) == UNZ_OK else { throw damaged }
        return bytes
    }
}
