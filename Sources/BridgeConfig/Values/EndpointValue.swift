import BridgeCore

/// Endpoints written as one word: `mqtt.example.com`, `mqtt.example.com:14567`, `[2001:db8::7]:14567`.
enum EndpointValue {
    struct Problem: Error, Equatable {
        var message: String
    }

    static func parse(_ text: String) throws(Problem) -> UplinkEndpoint {
        let (host, portText) = try split(text)
        if let problem = HostValue.problem(with: host) { throw Problem(message: problem) }
        guard let portText else { return UplinkEndpoint(host: host) }
        let isNumber = !portText.isEmpty && portText.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let port = Int(portText), (1...65_535).contains(port) else {
            throw Problem(message: "\"\(TextValue.shortened(portText))\" is not a UDP port, 1 to 65535")
        }
        return UplinkEndpoint(host: host, port: port)
    }

    private static func split(_ text: String) throws(Problem) -> (host: String, port: String?) {
        // Without brackets it is ambiguous whether the last group is a port.
        if HostValue.isIPv6(text) {
            let whole = "\"[\(text)]\" or \"[\(text)]:14567\""
            guard let (host, port, isCertain) = HostValue.splitOffPort(text) else {
                throw Problem(message: "an IPv6 address goes in brackets: \(whole)")
            }
            let hint = "an IPv6 address goes in brackets, with its port after them: \"[\(host)]:\(port)\""
            throw Problem(message: isCertain ? hint : "\(hint), or \(whole)")
        }
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw Problem(message: "the closing bracket is missing") }
            let host = String(text[text.index(after: text.startIndex)..<close])
            if let problem = HostValue.problemWithZone(of: host) { throw Problem(message: problem) }
            guard HostValue.isIPv6(host) else {
                throw Problem(message: "\"\(TextValue.shortened(host))\" is not an IPv6 address")
            }
            let rest = text[text.index(after: close)...]
            if rest.isEmpty { return (host, nil) }
            guard rest.hasPrefix(":") else { throw Problem(message: "a port follows the bracket after a colon") }
            return (host, String(rest.dropFirst()))
        }
        guard !text.contains("://"), let colon = text.lastIndex(of: ":") else { return (text, nil) }
        let host = String(text[..<colon])
        guard !host.isEmpty else { throw Problem(message: "the host is missing, such as mqtt.example.com\(text)") }
        return (host, String(text[text.index(after: colon)...]))
    }
}
