/// One block of a PEM file, from `-----BEGIN ...-----` to `-----END ...-----` (RFC 7468). There may be any text between
/// blocks.
struct PEMBlock: Equatable {
    /// `CERTIFICATE`, `EC PRIVATE KEY`, ...
    var label: String
    /// The number of the block's first line, counted from 1.
    var line: Int
    /// The lines between the first and the last line.
    var body: [ArraySlice<UInt8>] = []
    var hasEnd = false

    private static let begin = Array("-----BEGIN ".utf8)
    private static let end = Array("-----END ".utf8)
    private static let dashes = Array("-----".utf8)

    /// The blocks in the order of the file. A block has no end if another one begins before it.
    static func all(in bytes: [UInt8]) -> [PEMBlock] {
        var blocks: [PEMBlock] = []
        var isInside = false
        for (index, line) in lines(of: bytes).enumerated() {
            if let label = label(of: line, after: begin) {
                blocks.append(PEMBlock(label: label, line: index + 1))
                isInside = true
            } else if isInside, let label = label(of: line, after: end) {
                isInside = false
                blocks[blocks.count - 1].hasEnd = label == blocks[blocks.count - 1].label
            } else if isInside {
                blocks[blocks.count - 1].body.append(line)
            }
        }
        return blocks
    }

    /// Whether the content is encrypted with a passphrase.
    var isEncrypted: Bool {
        if label == "ENCRYPTED PRIVATE KEY" { return true }
        let header = Array("Proc-Type: 4,ENCRYPTED".utf8)
        return body.contains { $0.starts(with: header) }
    }

    /// The DER in the block; `nil` if it is not valid Base64 of a whole ASN.1 SEQUENCE, which all PEM content is.
    var contents: [UInt8]? {
        guard let bytes = Base64.decode(ArraySlice(body.joined().filter { !Self.isBlank($0) })) else { return nil }
        return DER.length(ofSequence: bytes) == bytes.count ? bytes : nil
    }

    /// The lines of a file. Like the TLS libraries, this accepts LF, CRLF and CR as their ends.
    private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        return bytes.withoutByteOrderMark.split(separator: lf, omittingEmptySubsequences: false).flatMap { line in
            (line.last == cr ? line.dropLast() : line).split(separator: cr, omittingEmptySubsequences: false)
        }.map { line in
            var line = line.drop(while: isBlank)
            while let last = line.last, isBlank(last) { line.removeLast() }
            return line
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func label(of line: ArraySlice<UInt8>, after prefix: [UInt8]) -> String? {
        guard line.starts(with: prefix), line.count >= prefix.count + dashes.count,
            line.suffix(dashes.count).elementsEqual(dashes)
        else { return nil }
        return String(decoding: line.dropFirst(prefix.count).dropLast(dashes.count), as: UTF8.self)
    }
}

/// The part of the encoding of ASN.1 that is needed to tell the kinds of files apart.
enum DER {
    static let sequence: UInt8 = 0x30
    static let integer: UInt8 = 0x02
    static let objectIdentifier: UInt8 = 0x06

    /// The length of the SEQUENCE at the beginning of `bytes`, including its head; `nil` if there is none.
    static func length(ofSequence bytes: [UInt8]) -> Int? {
        guard bytes.first == sequence, let head = head(of: bytes[...]) else { return nil }
        return head.size + head.length
    }

    /// The first two elements of the SEQUENCE at the beginning of `bytes`. Each slice begins with the tag of its element,
    /// and extends to the end of `bytes`.
    static func contents(of bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        guard bytes.first == sequence, let head = head(of: bytes) else { return [] }
        var rest = bytes.dropFirst(head.size)
        var parts: [ArraySlice<UInt8>] = []
        while parts.count < 2, let next = self.head(of: rest) {
            parts.append(rest)
            rest = rest.dropFirst(next.size + next.length)
        }
        return parts
    }

    /// The size of the tag and length in bytes (X.690 8.1.3), and the length of the content.
    static func head(of bytes: ArraySlice<UInt8>) -> (size: Int, length: Int)? {
        guard let first = bytes.dropFirst().first else { return nil }
        if first < 0x80 { return (2, Int(first)) }
        let count = Int(first & 0x7F)
        guard (1...4).contains(count), bytes.count >= 2 + count else { return nil }
        return (2 + count, bytes.dropFirst(2).prefix(count).reduce(0) { $0 << 8 | Int($1) })
    }
}
