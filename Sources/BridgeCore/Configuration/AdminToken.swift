/// What a token of the admin endpoint looks like. The loader checks it at `check`, and the endpoint when it starts.
package enum AdminToken {
    /// In characters. A shorter token could be guessed over the network.
    package static let minimumLength = 16
    package static let maximumLength = 512
    package static let advice = "openssl rand -hex 32 makes a good one"

    /// Why the content of a file, without the line break at its end, is not a token; never quotes it.
    package static func problem(with token: String) -> String? {
        if token.isEmpty { return "is empty; \(advice)" }
        if token.contains(where: \.isNewline) { return "has more than one line; the token is all that goes in it" }
        guard token.utf8.allSatisfy(isSendable) else {
            return "a token consists of letters, digits and -._~+/= only; \(advice)"
        }
        if token.utf8.count < minimumLength {
            return "is shorter than \(minimumLength) characters, and could be guessed; \(advice)"
        }
        if token.utf8.count > maximumLength { return "is longer than \(maximumLength) characters" }
        return nil
    }

    /// Whether it is one of the characters of RFC 6750 2.1, which a client can send in a header field as they are.
    private static func isSendable(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~+/=".utf8.contains(byte)
        }
    }
}
