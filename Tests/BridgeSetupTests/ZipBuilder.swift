import Foundation

/// Makes zip files byte by byte, also wrong ones (APPNOTE 4.3). Nothing is compressed.
struct ZipBuilder {
    struct Entry {
        var name: String
        var content: [UInt8] = Array("x".utf8)
        /// The upper half of the external attributes; `nil` for an entry of MS-DOS.
        var unixMode: UInt16? = 0o100644
        var flags: UInt16 = 0
        var method: UInt16 = 0
        /// What the directory says; `nil` for the truth.
        var declaredSize: UInt32?
        var checksum: UInt32?
        var nameBytes: [UInt8]?

        init(_ name: String, _ content: String = "x") {
            self.name = name
            self.content = Array(content.utf8)
        }

        init(_ name: String, change: (inout Entry) -> Void) {
            self.init(name)
            change(&self)
        }
    }

    static func make(_ entries: [Entry]) -> Data {
        var file = Data()
        var directory = Data()
        for entry in entries {
            let offset = UInt32(file.count)
            let name = entry.nameBytes ?? Array(entry.name.utf8)
            var common = Data()
            common.append16(20, entry.flags, entry.method, 0, 0)
            common.append32(
                entry.checksum ?? crc(entry.content), UInt32(entry.content.count),
                entry.declaredSize ?? UInt32(entry.content.count))
            common.append16(UInt16(name.count), 0)
            file.append32(0x0403_4B50)
            file += common + name + entry.content
            directory.append32(0x0201_4B50)
            directory.append16(entry.unixMode == nil ? 20 : 3 << 8 | 20)
            directory += common
            directory.append16(0, 0, 0)
            directory.append32(UInt32(entry.unixMode ?? 0) << 16, offset)
            directory += name
        }
        let start = UInt32(file.count)
        file += directory
        file.append32(0x0605_4B50)
        file.append16(0, 0, UInt16(entries.count), UInt16(entries.count))
        file.append32(UInt32(directory.count), start)
        file.append16(0)
        return file
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 {
                let isOdd = sum & 1 == 1
                sum >>= 1
                if isOdd { sum ^= 0xEDB8_8320 }
            }
        }
        return ~sum
    }
}

extension Data {
    fileprivate mutating func append16(_ values: UInt16...) {
        for value in values { append(contentsOf: [UInt8(value & 0xFF), UInt8(value >> 8)]) }
    }

    fileprivate mutating func append32(_ values: UInt32...) {
        for value in values { append16(UInt16(value & 0xFFFF), UInt16(value >> 16)) }
    }
}
