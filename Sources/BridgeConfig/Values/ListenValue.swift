import BridgeCore

/// Addresses to listen on: `127.0.0.1:1883`, `[::1]:1883`.
enum ListenValue {
    struct Problem: Error, Equatable {
        var message: String
    }

    /// What is expected at the address.
    enum Transport {
        /// MQTT over TCP.
        case tcp
        /// MQTT over QUIC.
        case udp
        /// HTTP over TCP.
        case http

        /// The port that messages use as an example.
        var port: Int {
            switch self {
            case .tcp: 1_883
            case .udp: 14_567
            case .http: AdminConfiguration.defaultAddress.port
            }
        }

        fileprivate var name: String { self == .udp ? "UDP" : "TCP" }

        fileprivate var examples: String { "such as 127.0.0.1:\(port) or [::1]:\(port)" }
    }

    static func parse(
        _ text: String, name: String? = nil, transport: Transport = .tcp
    ) throws(Problem) -> ListenAddress {
        let (host, portText) = try split(text, transport)
        if let problem = HostValue.problemWithZone(of: host) { throw Problem(message: problem) }
        guard HostValue.isIPv4(host) || HostValue.isIPv6(host) else {
            throw problem(withHost: host, port: portText, transport)
        }
        let isNumber = !portText.isEmpty && portText.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let port = Int(portText), port <= 65_535 else {
            let shown = TextValue.shortened(portText)
            throw Problem(
                message: "\"\(shown)\" is not a \(transport.name) port: 1 to 65535, or 0 to let the system choose")
        }
        return ListenAddress(host: host, port: port, name: name)
    }

    private static func split(_ text: String, _ transport: Transport) throws(Problem) -> (host: String, port: String) {
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw Problem(message: "the closing bracket is missing") }
            let host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            guard rest.hasPrefix(":") else { throw Problem(message: "the port is missing, \(transport.examples)") }
            if let problem = HostValue.problemWithZone(of: host) { throw Problem(message: problem) }
            guard HostValue.isIPv6(host) else {
                throw Problem(message: "\"\(TextValue.shortened(host))\" is not an IPv6 address")
            }
            return (host, String(rest.dropFirst()))
        }
        if HostValue.isIPv6(text) { throw withoutBrackets(text, transport) }
        guard let colon = text.lastIndex(of: ":") else { throw withoutColon(text, transport) }
        let host = String(text[..<colon])
        if HostValue.isIPv6(host) {
            throw Problem(
                message: "an IPv6 address goes in brackets: \"[\(host)]:\(text[text.index(after: colon)...])\"")
        }
        return (host, String(text[text.index(after: colon)...]))
    }

    private static func withoutBrackets(_ text: String, _ transport: Transport) -> Problem {
        let whole = "\"[\(text)]:\(transport.port)\""
        guard let (host, port, isCertain) = HostValue.splitOffPort(text) else {
            return Problem(message: "an IPv6 address goes in brackets, with a port: \(whole)")
        }
        let hint = "an IPv6 address goes in brackets, with its port after them: \"[\(host)]:\(port)\""
        return Problem(message: isCertain ? hint : "\(hint), or \(whole)")
    }

    private static func withoutColon(_ text: String, _ transport: Transport) -> Problem {
        if Int(text) != nil {
            return Problem(message: "the address is missing: 127.0.0.1:\(text), or 0.0.0.0:\(text) for all interfaces")
        }
        return Problem(message: "the port is missing, \(transport.examples)")
    }

    private static func problem(withHost host: String, port: String, _ transport: Transport) -> Problem {
        if host.isEmpty || host == "*" {
            return Problem(message: "the address is missing; for all interfaces write 0.0.0.0:\(port) and [::]:\(port)")
        }
        if host == "localhost" { return Problem(message: "write the address of localhost: 127.0.0.1:\(port)") }
        let shown = TextValue.shortened(host)
        return Problem(message: "\"\(shown)\" is not an IP address of this machine, \(transport.examples)")
    }
}
