import HTTPTypes
import Testing

@testable import BridgeAdmin

struct RequestCheckTests {
    private static let token = AdminEndpoint.token

    private static func check(_ token: String? = nil) -> RequestCheck {
        RequestCheck(token: token.map { BearerToken($0) }, hostNames: ["Bridge.Example.com"], bodyLimit: 100)
    }

    private static func status(
        _ check: RequestCheck, _ method: HTTPRequest.Method = .get, host: String? = "localhost",
        path: String = "/api/status", _ fields: [String: String] = [:]
    ) -> Int {
        var head = HTTPRequest(method: method, scheme: "http", authority: host, path: path)
        for (name, value) in fields {
            if let name = HTTPField.Name(name) { head.headerFields[name] = value }
        }
        return check.problem(with: head, path: path)?.status.code ?? 200
    }

    @Test(arguments: [
        ("localhost", 200), ("LOCALHOST:9883", 200), ("localhost.", 200), ("127.0.0.1:9883", 200), ("10.1.2.3", 200),
        ("[::1]:9883", 200), ("[::1]", 200), ("bridge.example.com", 200), ("BRIDGE.example.com.:80", 200),
        ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("1.2.3", 421),
        ("[::1", 400), ("[]", 400), (":9883", 400), ("localhost:x", 400), ("localhost:70000", 400), ("[::1]x", 400),
        ("[localhost]", 400), ("[127.0.0.1]", 400), ("localhost:+80", 400), ("localhost:-1", 400),
        ("localhost:8 0", 400), ("localhost:", 200),
        ("", 400),
    ])
    func theNameHasToBeKnown(host: String, status: Int) {
        #expect(Self.status(Self.check(), host: host) == status)
    }

    @Test func theRefusalOfANameNamesTheKey() {
        let head = HTTPRequest(method: .get, scheme: "http", authority: "evil.example", path: "/")
        #expect(Self.check().problem(with: head, path: "/")?.message.contains("admin.host_names") == true)
        #expect(Self.status(Self.check(), host: nil) == 400)
    }

    @Test(arguments: [
        ("Bearer \(token)", 200), ("bearer  \(token)", 200), ("Bearer \(token)x", 401),
        ("Bearer \(token.dropLast())", 401),
        ("Bearer", 401), ("Bearer ", 401), ("Basic \(token)", 401), (token, 401), ("", 401),
        ("Bearer \(token)\(token)", 401), ("Bearer X\(token.dropFirst())", 401),
    ])
    func theTokenHasToBeRight(authorization: String, status: Int) {
        #expect(Self.status(Self.check(Self.token), path: "/metrics", ["authorization": authorization]) == status)
        #expect(Self.status(Self.check(), path: "/metrics", ["authorization": authorization]) == 200)
    }

    @Test func pageAndHealthChecksNeedNoToken() {
        for path in ["/", "/healthz", "/readyz"] { #expect(Self.status(Self.check(Self.token), path: path) == 200) }
        for path in ["/healthz/", "//", "/api/events", "/nothing", "/metrics"] {
            #expect(Self.status(Self.check(Self.token), path: path) == 401)
        }
    }

    @Test(arguments: [
        (["sec-fetch-site": "same-origin", "origin": "http://localhost"], 200), (["sec-fetch-site": "none"], 200),
        (["sec-fetch-site": "cross-site"], 403), (["sec-fetch-site": "same-site"], 403),
        (["origin": "https://localhost"], 200), (["origin": "http://localhost:81"], 403), (["origin": "null"], 403),
        (["origin": "http://evil.example"], 403), ([:], 200),
    ])
    func aPageElsewhereCannotPost(fields: [String: String], status: Int) {
        #expect(Self.status(Self.check(), .post, fields) == status)
        #expect(Self.status(Self.check(), .put, fields) == status)
        #expect(Self.status(Self.check(), .get, fields) == status)
        #expect(Self.status(Self.check(), .get, path: "/readyz", fields) == status)
    }

    @Test(arguments: [
        (["sec-fetch-mode": "navigate", "sec-fetch-dest": "document"], 200), (["sec-fetch-mode": "navigate"], 200),
        (["sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"], 403), (["sec-fetch-mode": "no-cors"], 403),
        (["sec-fetch-mode": "cors", "origin": "http://evil.example"], 403), ([:], 403),
    ])
    func aLinkElsewhereOpensThePageAndNothingElse(fields: [String: String], status: Int) {
        let fields = fields.merging(["sec-fetch-site": "cross-site"]) { $1 }
        #expect(Self.status(Self.check(), .get, path: "/", fields) == status)
        for path in ["/api/events", "/readyz", "/metrics"] {
            #expect(Self.status(Self.check(), .get, path: path, fields) == 403)
        }
        #expect(Self.status(Self.check(), .post, path: "/", fields) == 403)
    }

    @Test(arguments: [("100-continue", 200), ("100-Continue", 200), ("200-ok", 417)])
    func onlyOneExpectationIsKnown(expectation: String, status: Int) {
        #expect(Self.status(Self.check(), .put, ["expect": expectation]) == status)
    }

    @Test(arguments: [("100", 200), ("101", 413), ("99999999999999999999", 413), ("x", 413)])
    func theBodyIsBounded(length: String, status: Int) {
        #expect(Self.status(Self.check(), .post, ["content-length": length]) == status)
    }

    @Test(arguments: [
        ("", "is empty"), ("\n", "is empty"), ("short", "shorter than 16"), (token + "\n\n", "more than one line"),
        (token + "\u{7}", "letters, digits"), (String(repeating: "a", count: 513), "longer than 512"),
        (String(repeating: "a", count: 9_000), "longer than 512"),
    ])
    func aFileWithoutATokenIsRefused(content: String, problem: String) {
        let file = TemporaryFile(content)
        defer { file.remove() }
        let error = #expect(throws: AdminTokenError.self) { try BearerToken(file: file.path) }
        #expect(error?.description.contains(problem) == true)
        #expect(error?.description.contains(file.path) == true)
    }

    @Test func aFileMayEndWithOneLineBreak() throws {
        for end in ["", "\n", "\r\n"] {
            let file = TemporaryFile(Self.token + end)
            defer { file.remove() }
            #expect(try BearerToken(file: file.path).isIn("Bearer \(Self.token)"))
        }
        #expect(throws: AdminTokenError.self) { try BearerToken(file: "/nonexistent/token") }
    }
}
