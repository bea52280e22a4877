import BridgeConfig

/// The address of `-L`: `mqtt-quic://[username[:password]@]host[:port]/topic`.
///
/// `mqtt-quic`, `mqtts` and `mqtt` mean the same: MQTT over QUIC with TLS 1.3, at UDP port 14567 if no port is given.
/// `mqtt` and `mqtts` are understood so that the lines of mosquitto_pub work. There is nothing in them that asks for plain
/// TCP, which these tools never use.
struct BrokerURL: Equatable, Sendable {
    var host: String
    var port: Int?
    var username: String?
    var password: String?
    /// What follows the first slash: a topic, or a filter. It is taken as it stands, without percent encoding.
    var topic: String

    private static let schemes = ["mqtt-quic", "mqtts", "mqtt"]

    init(parsing text: String) throws(UsageError) {
        guard let colon = text.firstRange(of: "://") else {
            throw UsageError("-L \(Self.shown(text)): it must begin with mqtt-quic://")
        }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard Self.schemes.contains(scheme) else {
            let known = Self.schemes.map { "\($0)://" }.joined(separator: ", ")
            throw UsageError("-L: the scheme \"\(scheme)\" is not known; the schemes are \(known)")
        }
        let rest = text[colon.upperBound...]
        guard let slash = rest.firstIndex(of: "/"), rest.index(after: slash) < rest.endIndex else {
            throw UsageError("-L: the topic is missing; it follows the host: \(scheme)://HOST/TOPIC")
        }
        topic = String(rest[rest.index(after: slash)...])
        var place = rest[..<slash]
        if let at = place.lastIndex(of: "@") {
            (username, password) = try Self.identity(place[..<at])
            place = place[place.index(after: at)...]
        }
        // In u:12/34@host, the user name would be the host, and a part of the password the port. An error about the host
        // would quote it.
        if rest[..<slash].contains(":"), !rest[..<slash].contains("@"), topic.contains("@") {
            throw UsageError(
                "-L: there is an @ behind the first slash, where the topic begins: a / in a password is written as %2F, and"
                    + " a topic with an @ is given with -t")
        }
        (host, port) = try Self.place(place)
    }

    private static func identity(_ text: Substring) throws(UsageError) -> (String, String?) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try decoded(parts.first ?? "", "user name")
        guard parts.count == 2 else { return (name, nil) }
        return (name, try decoded(parts[1], "password"))
    }

    private static func place(_ text: Substring) throws(UsageError) -> (String, Int?) {
        guard !text.isEmpty else { throw UsageError("-L: the host is missing; it goes before the first slash") }
        do {
            let endpoint = try EndpointText.parse(String(text))
            return (endpoint.host, endpoint.port)
        } catch {
            throw UsageError("-L: \(error)")
        }
    }

    /// Replaces `%40` and the like (RFC 3986 2.1), so that a name or a password can contain `@`, `:` and `/`. A percent
    /// sign that two hexadecimal digits do not follow is an error.
    private static func decoded(_ text: Substring, _ what: String) throws(UsageError) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let code = UInt8(digits, radix: 16) else {
                throw UsageError("-L: two hexadecimal digits must follow a % in the \(what); % itself is %25")
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw UsageError("-L: the \(what) is not UTF-8")
        }
        return decoded
    }

    /// The text without a user name and a password.
    private static func shown(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return "\"\(text)\"" }
        return "\"...\(text[at...])\""
    }
}
