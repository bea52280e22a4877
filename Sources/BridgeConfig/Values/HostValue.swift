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
        // C sees no further than to a NUL.
        return !text.utf8.contains(0) && inet_pton(AF_INET, text, &address) == 1
    }

    /// Accepts a zone, as in `fe80::1%eth0`.
    static func isIPv6(_ text: String) -> Bool {
        let (address, zone) = parts(of: text)
        return bytes(address) != nil && zone.map(isInterfaceName) ?? true
    }

    /// Whether Linux may call a network interface so.
    private static func isInterfaceName(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
    }

    /// Whether the address means something only together with a network interface (RFC 4291 2.5.6).
    private static func isLinkLocal(_ address: String) -> Bool {
        bytes(address).map { $0.0 == 0xFE && $0.1 & 0xC0 == 0x80 } ?? false
    }

    /// What is wrong with the zone of an IPv6 address, or with its absence; `nil` if nothing is wrong.
    static func problemWithZone(of text: String) -> String? {
        let (address, zone) = parts(of: text)
        guard bytes(address) != nil else {
            return zone == nil ? nil : "a zone (%) goes after an IPv6 address, such as fe80::1%eth0"
        }
        switch (isLinkLocal(address), zone) {
        case (true, nil):
            return
                "\(address) is a link-local address, which needs a network interface as its zone, such as "
                + "\(address)%eth0"
        case (_, ""?): return "the zone after % is missing: \(address)%eth0, with the name of a network interface"
        case (false, _?): return "a zone (%) is for link-local addresses only (fe80::...); write \(address)"
        case (true, let zone?) where !isInterfaceName(zone):
            return "\"\(TextValue.shortened(zone))\" after % is not the name of a network interface, such as eth0"
        case (true, _?), (false, nil): return nil
        }
    }

    /// Splits `::1:1883` into `::1` and `1883`. As a whole this is a valid address, but the operator most likely forgot the
    /// brackets and meant a port. `isCertain` says whether the last group has at least three digits: it could still be part
    /// of an address, but hardly ever is.
    static func splitOffPort(_ text: String) -> (host: String, port: String, isCertain: Bool)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let (host, end) = (String(text[..<colon]), text[text.index(after: colon)...])
        guard isIPv6(host), !end.isEmpty, end.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return (host, String(end), end.count > 2)
    }

    private static func parts(of text: String) -> (address: String, zone: String?) {
        guard let percent = text.firstIndex(of: "%") else { return (text, nil) }
        return (String(text[..<percent]), String(text[text.index(after: percent)...]))
    }

    /// The first two bytes of an IPv6 address; `nil` if `text` is not one.
    private static func bytes(_ text: String) -> (UInt8, UInt8)? {
        var address = in6_addr()
        guard !text.utf8.contains(0), inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: address) { ($0[0], $0[1]) }
    }

    /// Why `text` is neither a host name nor an IP address; `nil` if it is one of them.
    static func problem(with text: String) -> String? {
        if text.hasPrefix("["), text.contains("]") { return "an IPv6 address goes here without brackets" }
        if let problem = problemWithZone(of: text) { return problem }
        if isIPv4(text) || isIPv6(text) { return nil }
        let shown = TextValue.shortened(text)
        if text.contains("://") {
            return "\"\(shown)\" is a URL; only the host name goes here, such as mqtt.example.com"
        }
        if text.hasPrefix("<") { return "\"\(shown)\" is a placeholder; put the host name of your broker here" }
        if text.hasPrefix("[") { return "an IPv6 address goes here without brackets" }
        if text.contains(":") {
            return "\"\(shown)\" is neither a host name nor an IPv6 address; a port has a key of its own"
        }
        if text.contains("/") { return "\"\(shown)\" contains a slash; only the host name goes here" }
        return problemWithName(text)
    }

    /// RFC 1123 2.1, plus underscores, which private networks use. A final dot makes the name absolute, so that the
    /// resolver applies no search list (RFC 1034 3.1).
    private static func problemWithName(_ text: String) -> String? {
        let shown = TextValue.shortened(text)
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
        if let last = labels.last, !last.isEmpty, last.allSatisfy({ $0.isASCII && $0.isNumber }) {
            return "\"\(shown)\" is not an IPv4 address"
        }
        guard text.utf8.count <= 253 else { return "longer than 253 characters, the most that a host name can have" }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            return "\"\(shown)\" is not ASCII; write the name in its xn-- form"
        }
        for label in labels {
            if label.isEmpty { return "\"\(shown)\" has an empty part; dots only separate names" }
            if label.utf8.count > 63 {
                let part = TextValue.shortened(String(label))
                return "\"\(part)\" is longer than 63 characters, the most that a part of a host name can have"
            }
            let isNamed = label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            if !isNamed || label.hasPrefix("-") || label.hasSuffix("-") {
                return "\"\(shown)\" is not a host name; a host name is letters, digits and hyphens, separated by dots"
            }
        }
        return nil
    }
}
