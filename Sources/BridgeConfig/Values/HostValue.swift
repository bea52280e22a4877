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

    /// Also one with a zone, such as `fe80::1%eth0`.
    static func isIPv6(_ text: String) -> Bool {
        let (address, zone) = parts(of: text)
        return bytes(address) != nil && zone?.isEmpty != true
    }

    /// An address that has a meaning only together with a network interface (RFC 4291 2.5.6).
    private static func isLinkLocal(_ address: String) -> Bool {
        bytes(address).map { $0.0 == 0xFE && $0.1 & 0xC0 == 0x80 } ?? false
    }

    /// What is wrong with an IPv6 address and its zone; `nil` where nothing is.
    static func problemWithZone(of text: String) -> String? {
        let (address, zone) = parts(of: text)
        guard bytes(address) != nil else {
            return zone == nil ? nil : "a zone (%) belongs behind an IPv6 address, such as fe80::1%eth0"
        }
        switch (isLinkLocal(address), zone) {
        case (true, nil):
            return
                "\(address) is a link-local address, which needs the network interface that it is reached by, as its "
                + "zone: \(address)%eth0"
        case (_, ""?): return "the zone behind % is missing: \(address)%eth0, with the name of a network interface"
        case (false, _?): return "a zone (%) is for link-local addresses only (fe80::...); write \(address)"
        case (true, _?), (false, nil): return nil
        }
    }

    /// `::1` and `1883` of `::1:1883`, which is an address as a whole, and nobody means it: what looks like a port at the
    /// end of an address that ought to be in brackets is one, most of the time. `isCertain`: a group of three digits or
    /// more may be part of an address all the same, but hardly ever is.
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

    /// The first two bytes of an IPv6 address; `nil` where it is none.
    private static func bytes(_ text: String) -> (UInt8, UInt8)? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: address) { ($0[0], $0[1]) }
    }

    /// What keeps `text` from being a host name or an IP address; `nil` where it is one.
    static func problem(with text: String) -> String? {
        if text.hasPrefix("["), text.contains("]") { return "an IPv6 address goes here without brackets" }
        if let problem = problemWithZone(of: text) { return problem }
        if isIPv4(text) || isIPv6(text) { return nil }
        if text.contains("://") {
            return "\"\(text)\" is a URL; only the host name goes here, such as mqtt.example.com"
        }
        if text.hasPrefix("<") { return "\"\(text)\" is a placeholder; put the host name of your broker here" }
        if text.hasPrefix("[") { return "an IPv6 address goes here without brackets" }
        if text.contains(":") {
            return "\"\(text)\" is neither a host name nor an IPv6 address; a port has a key of its own"
        }
        if text.contains("/") { return "\"\(text)\" holds a slash; only the host name goes here" }
        return problemWithName(text)
    }

    /// RFC 1123 2.1, and underscores, which private networks have. A dot at the end makes the name an absolute one, for
    /// which no search list is gone through (RFC 1034 3.1).
    private static func problemWithName(_ text: String) -> String? {
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
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
