/// PEM text for BoringSSL.
package enum PEMText {
    /// The PEM text of a file in the form that BoringSSL needs, which is stricter than GnuTLS: without a byte order mark,
    /// and with an LF at the end of every line.
    package static func plain(_ bytes: [UInt8]) -> [UInt8] {
        let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        return text.indices.map { index in
            text[index] == cr && (index + 1 == text.endIndex || text[index + 1] != lf) ? lf : text[index]
        }
    }
}
