#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Host names and IP addresses as an operator writes them.
enum HostValue {
    static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    /// What keeps `text` from being a host name or an IP address; `nil` where it is one.
    static func problem(with text: String) -> String? {
        if isIPv4(text) || isIPv6(text) { return nil }
        if text.contains("://") {
            return "\"\(text)\" is a URL; only the host name goes here, such as mqtt.example.com"
        }
        if text.hasPrefix("<") { return "\"\(text)\" is a placeholder; put the host name of your broker here" }
        if text.hasPrefix("[") { return "an IPv6 address goes here without brackets" }
        if text.contains("%") { return "an address with a zone (%) is not supported" }
        if text.contains(":") {
            return "\"\(text)\" is neither a host name nor an IPv6 address; a port has a key of its own"
        }
        if text.contains("/") { return "\"\(text)\" holds a slash; only the host name goes here" }
        return problemWithName(text)
    }

    /// RFC 1123 2.1, and underscores, which private networks have.
    private static func problemWithName(_ text: String) -> String? {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if let last = labels.last, !last.isEmpty, last.allSatisfy({ $0.isASCII && $0.isNumber }) {
            return "\"\(text)\" is not an IPv4 address"
        }
        guard text.utf8.count <= 253 else { return "longer than 253 characters; no host name is" }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            return "\"\(text)\" is not ASCII; write the name in its xn-- form"
        }
        for label in labels {
            if label.isEmpty { return "\"\(text)\" has an empty part; dots stand between names only" }
            if label.utf8.count > 63 { return "\"\(label)\" is longer than 63 characters; no part of a host name is" }
            let isNamed = label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            if !isNamed || label.hasPrefix("-") || label.hasSuffix("-") {
                return "\"\(text)\" is not a host name; those are letters, digits and hyphens with dots between"
            }
        }
        return nil
    }
}
