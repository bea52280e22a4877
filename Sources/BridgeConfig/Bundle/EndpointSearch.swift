/// Finds the broker's endpoints in an `endpoints.json`, whose shape is not the same in all bundles: an object or a list
/// of endpoints, at any depth, with a URL or with a host and a port or several ports. What an endpoint is for is told by
/// the names and texts nearest to it, or by its port if they do not say.
struct EndpointSearch {
    struct Endpoint: Equatable {
        var use: EndpointUse
        /// `nil` if neither the endpoint nor what surrounds it has one.
        var host: String?
        /// As it is written; it may not be a port.
        var port: String?
        var node: Int
    }

    /// More than this are left out.
    private static let maximumCount = 64
    /// How many values are looked at. A real file has some dozens.
    private static let maximumVisits = 4_096

    private(set) var found: [Endpoint] = []
    private var visits = 0

    /// What surrounds a value, from the inside out.
    private struct Surroundings {
        var words: [String] = []
        var host: String?
    }

    /// - Parameter name: What the whole is called, if anything.
    init(_ root: JSONNode, called name: String = "") {
        visit(root, Surroundings(words: [name]))
    }

    private mutating func visit(_ node: JSONNode, _ around: Surroundings) {
        visits += 1
        guard visits <= Self.maximumVisits, found.count < Self.maximumCount else { return }
        switch node.content {
        case .object(let members): visit(members, node, around)
        case .list(let items): for item in items { visit(item, around) }
        case .string(let text): visit(text, node, around)
        case .null, .boolean, .number: break
        }
    }

    private mutating func visit(_ members: [JSONNode.Member], _ node: JSONNode, _ around: Surroundings) {
        var around = around
        let attributes = members.compactMap { Self.attribute($0) }.joined(separator: " ")
        around.words[0] += " \(attributes)"
        let names = ["host", "hostname", "server", "address", "broker", "fqdn"]
        let own = names.compactMap { name in node.value(name) }.first { $0.scalar?.isEmpty == false }
        let host = own.flatMap { $0.scalar }.flatMap { $0.contains("://") ? nil : $0 }
        let before = found.count
        around.host = host ?? around.host
        for member in members {
            var inner = around
            let name = JSONNode.plain(member.name)
            let isGeneral = ["port", "ports", "url", "uri", "endpoint", "endpoints"].contains(name)
            if !isGeneral, !names.contains(name) { inner.words.insert(member.name, at: 0) }
            visit(member.value, called: name, inner)
        }
        if let own, host != nil, found.count == before {
            add(EndpointUse(words: around.words, port: nil), host, nil, own)
        }
    }

    private mutating func visit(_ value: JSONNode, called name: String, _ around: Surroundings) {
        switch value.content {
        case .number(let text): addPort(text, value, called: name, around)
        case .string(let text) where !text.isEmpty && text.utf8.allSatisfy({ (0x30...0x39).contains($0) }):
            addPort(text, value, called: name, around)
        case .string where name == "host": break
        default: visit(value, around)
        }
    }

    /// A number is a port if its name says so, or names what the port is for.
    private mutating func addPort(_ text: String, _ value: JSONNode, called name: String, _ around: Surroundings) {
        let isPort = name.hasSuffix("port") || (EndpointUse(word: around.words[0]) != nil && Int(text) ?? 0 >= 80)
        if isPort { add(EndpointUse(words: around.words, port: Int(text)), around.host, text, value) }
    }

    /// A URL, or `host:port` where the name says that it is an endpoint.
    private mutating func visit(_ text: String, _ node: JSONNode, _ around: Surroundings) {
        if let url = BundleURL(text) {
            var words = around.words
            words[0] += " \(url.scheme)"
            let use = EndpointUse(words: words, port: url.port.flatMap { Int($0) })
            add(use, url.host, url.port, node)
        } else if EndpointUse(word: around.words[0]) != nil, text.contains(":"),
            let endpoint = try? EndpointValue.parse(text)
        {
            let port = String(endpoint.port)
            add(EndpointUse(words: around.words, port: endpoint.port), endpoint.host, port, node)
        }
    }

    private mutating func add(_ use: EndpointUse?, _ host: String?, _ port: String?, _ node: JSONNode) {
        guard let use, use != .other else { return }
        found.append(Endpoint(use: use, host: host, port: port, node: node.offset))
    }

    /// What a member says about the object that it belongs to; `nil` if nothing.
    private static func attribute(_ member: JSONNode.Member) -> String? {
        switch member.value.content {
        case .boolean(true): return member.name
        case .string(let text):
            let names = [
                "transport", "protocol", "scheme", "name", "type", "mode", "id", "kind", "auth", "authmode", "method",
                "security", "service", "tlsmode", "verifymode",
            ]
            return names.contains(JSONNode.plain(member.name)) ? text : nil
        default: return nil
        }
    }
}

/// What an endpoint is for.
enum EndpointUse: Equatable {
    /// MQTT over QUIC.
    case quic
    /// MQTT over TLS over TCP, where only the server has a certificate.
    case tls
    /// MQTT over TLS over TCP, where clients have a certificate too.
    case mutualTLS
    /// Something else, such as an HTTP interface.
    case other

    /// - Parameters:
    ///   - words: Names and texts about the endpoint; the nearest first. The first that say something decide.
    /// - Returns: `nil` if neither words nor port say anything.
    init?(words: [String], port: Int?) {
        let decisive = words.first { EndpointUse(word: $0) != nil }
        let use = decisive.flatMap { EndpointUse(word: $0) }
        let known = port.flatMap { EndpointUse(port: $0) }
        // "TLS" is true of all of them: the platform's own ports say more.
        if use == .tls, let known, known == .quic || decisive?.lowercased().contains("server") != true {
            self = known
        } else if let use = use ?? known {
            self = use
        } else {
            return nil
        }
    }

    /// How much of a word is looked at. It is looked at once for each value below it.
    private static let longestWord = 256

    /// `nil` if the word says nothing.
    init?(word: String) {
        let lower = String(word.unicodeScalars.prefix(Self.longestWord)).lowercased()
        let parts = lower.split { !$0.isLetter && !$0.isNumber }
        if lower.contains("http")
            || parts.contains(where: { ["ws", "wss", "api", "coap", "coaps", "amqp"].contains($0) })
        {
            self = .other
        } else if lower.contains("quic") {
            self = .quic
        } else if ["mtls", "mutual", "client_cert", "clientcert", "client-cert"].contains(where: lower.contains) {
            self = .mutualTLS
        } else if ["mqtts", "tls", "ssl", "fallback"].contains(where: lower.contains) {
            self = .tls
        } else {
            return nil
        }
    }

    /// The ports of TESAIoT.
    private init?(port: Int) {
        switch port {
        case 14_567: self = .quic
        case 8_884: self = .tls
        case 8_883: self = .mutualTLS
        default: return nil
        }
    }
}
