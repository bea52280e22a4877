/// Zip files for seeds (APPNOTE 4.3).
enum SampleZip {
    /// Nothing is compressed, and checksums are right.
    static func stored(_ files: some Sequence<(String, String)>) -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        var count = 0
        for (name, text) in files {
            let (name, content) = (Array(name.utf8), Array(text.utf8))
            let common =
                words(20, 0, 0, 0, 0) + long(checksum(content)) + long(content.count) + long(content.count)
                + words(name.count, 0)
            directory += long(0x0201_4B50) + words(20) + common + words(0, 0, 0) + long(0) + long(file.count) + name
            file += long(0x0403_4B50) + common + name + content
            count += 1
        }
        let end = long(0x0605_4B50) + words(0, 0, count, count) + long(directory.count) + long(file.count) + words(0)
        return file + directory + end
    }

    /// One file `a` of 64 letters `a`, deflated.
    static let deflated: [UInt8] = {
        let content: [UInt8] = [0x4B, 0x4C, 0xA4, 0x0C, 0x00, 0x00]
        let sum = checksum([UInt8](repeating: 0x61, count: 64))
        let common = words(20, 0, 8, 0, 0) + long(sum) + long(content.count) + long(64) + words(1, 0)
        let file = long(0x0403_4B50) + common + [0x61] + content
        let directory = long(0x0201_4B50) + words(20) + common + words(0, 0, 0) + long(0) + long(0) + [0x61]
        return file + directory + long(0x0605_4B50) + words(0, 0, 1, 1) + long(directory.count) + long(file.count)
            + words(0)
    }()

    private static func words(_ values: Int...) -> [UInt8] {
        values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }

    private static func long(_ value: Int) -> [UInt8] { words(value & 0xFFFF, value >> 16) }

    private static func checksum(_ bytes: [UInt8]) -> Int {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return Int(~sum)
    }
}
