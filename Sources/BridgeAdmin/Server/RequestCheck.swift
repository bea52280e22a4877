import BridgeCore
import HTTPTypes
import NIOCore

/// Which requests are let in: those by a name that is known, with the token, and not from a page of somebody else.
struct RequestCheck: Sendable {
    /// Readable without a token: the page has no data in it, and health checks say hardly more than yes or no.
    static let openPaths: Set<String> = ["/", "/healthz", "/readyz"]

    let token: BearerToken?
    /// In lower case.
    let hostNames: Set<String>
    let bodyLimit: Int

    init(token: BearerToken?, hostNames: [String], bodyLimit: Int) {
        self.token = token
        self.hostNames = Set(hostNames.map { Self.name($0) } + ["localhost"])
        self.bodyLimit = bodyLimit
    }

    /// Why a request is refused; `nil` if it is not.
    func problem(with head: HTTPRequest, path: String) -> AdminError? {
        hostProblem(head) ?? tokenProblem(head, path) ?? originProblem(head, path) ?? bodyProblem(head)
    }

    /// Whether a request comes from somebody who may know everything: one with the token, if there is one.
    func isTrusted(_ head: HTTPRequest) -> Bool {
        guard let token else { return true }
        return head.headerFields[.authorization].map(token.isIn) ?? false
    }

    /// Whether the client waits for 100 (Continue) before it sends a body that would be taken [RFC 9110 10.1.1].
    static func awaitsContinue(_ head: HTTPRequest, bodyLimit: Int) -> Bool {
        head.headerFields[.expect]?.lowercased() == "100-continue" && !isTooLarge(head, bodyLimit)
    }

    // MARK: - By which name

    /// A page elsewhere can give its own name this machine's address (DNS rebinding), and then counts as the same origin.
    /// But its requests still carry its name.
    private func hostProblem(_ head: HTTPRequest) -> AdminError? {
        guard let authority = head.authority, !authority.isEmpty else {
            return AdminError(.badRequest, "there is no header Host [RFC 9112 3.2]")
        }
        guard let host = Self.host(of: authority) else {
            return AdminError(.badRequest, "the header Host is not a name or an address, with or without a port")
        }
        if hostNames.contains(Self.name(host)) || Self.isAddress(host) { return nil }
        return AdminError(
            .misdirectedRequest,
            "the endpoint is not known as \(host): call it by its IP address or localhost, or add the name to "
                + "admin.host_names")
    }

    /// Without the port; an IPv6 address without its brackets.
    static func host(of authority: String) -> String? {
        let rest: Substring
        let host: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[..<end].dropFirst()
            rest = authority[authority.index(after: end)...]
            guard case .v6? = try? SocketAddress(ipAddress: String(host), port: 0) else { return nil }
        } else {
            let end = authority.firstIndex(of: ":") ?? authority.endIndex
            host = authority[..<end]
            rest = authority[end...]
        }
        guard !host.isEmpty, rest.isEmpty || rest.hasPrefix(":") else { return nil }
        guard rest.count < 2 || UInt16(digits: rest.dropFirst()) != nil else { return nil }
        return String(host)
    }

    private static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }

    /// As names are compared: without regard to case, and without the dot of the root.
    private static func name(_ host: String) -> String {
        (host.hasSuffix(".") ? String(host.dropLast()) : host).lowercased()
    }

    // MARK: - With which token

    private func tokenProblem(_ head: HTTPRequest, _ path: String) -> AdminError? {
        guard let token, !Self.openPaths.contains(path) else { return nil }
        guard let given = head.headerFields[.authorization] else {
            return AdminError(
                .unauthorized, "a token is needed: Authorization: Bearer, and the content of admin.token_file",
                [.wwwAuthenticate: #"Bearer realm="mqtt-quic-bridge""#])
        }
        guard !token.isIn(given) else { return nil }
        return AdminError(
            .unauthorized, "the token is not the one of admin.token_file, as it was when the program started",
            [.wwwAuthenticate: #"Bearer realm="mqtt-quic-bridge", error="invalid_token""#])
    }

    // MARK: - From which page

    /// A page of another origin may send some requests unasked (CSRF), and cannot read the answers; but the requests alone
    /// would take places of the status page, or have the broker tried. Browsers say where they come from.
    private func originProblem(_ head: HTTPRequest, _ path: String) -> AdminError? {
        if path == "/", isVisit(head) { return nil }
        if let site = Self.field("Sec-Fetch-Site", head), site != "same-origin", site != "none" {
            return Self.foreign
        }
        guard let origin = head.headerFields[.origin], let authority = head.authority else { return nil }
        let own = ["http://", "https://"].map { $0 + authority.lowercased() }
        return own.contains(origin.lowercased()) ? nil : Self.foreign
    }

    /// A link elsewhere may open the page, which has no data in it.
    private func isVisit(_ head: HTTPRequest) -> Bool {
        let (mode, destination) = (Self.field("Sec-Fetch-Mode", head), Self.field("Sec-Fetch-Dest", head))
        return head.method == .get && mode == "navigate" && destination ?? "document" == "document"
    }

    private static func field(_ name: String, _ head: HTTPRequest) -> String? {
        HTTPField.Name(name).flatMap { head.headerFields[$0] }
    }

    private static let foreign = AdminError(
        .forbidden,
        "a page of another origin may neither ask nor change anything here; the endpoint's own page, and programs, may")

    // MARK: - How large

    private func bodyProblem(_ head: HTTPRequest) -> AdminError? {
        if let expectation = head.headerFields[.expect], expectation.lowercased() != "100-continue" {
            return AdminError(.expectationFailed, "of Expect, only 100-continue is known", [.connection: "close"])
        }
        guard Self.isTooLarge(head, bodyLimit) else { return nil }
        return AdminError(
            .contentTooLarge, "the body may have \(bodyLimit) bytes at most", [.connection: "close"])
    }

    private static func isTooLarge(_ head: HTTPRequest, _ limit: Int) -> Bool {
        guard let length = head.headerFields[.contentLength] else { return false }
        return (Int(digits: length) ?? .max) > limit
    }
}
