/// A server ID as an operator writes it: two hexadecimal digits per byte, such as `0a1f`.
enum ServerIDValue {
    /// How many bytes it may have. A connection ID has room for no more.
    static let lengths = 1...8

    /// `nil` if the text is not a server ID.
    static func parse(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2), lengths.contains(digits.count / 2) else { return nil }
        let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map(UInt8.init) }
        guard values.count == digits.count else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    static func render(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 0x10 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
