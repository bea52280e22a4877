import BridgeCore
import Foundation
import Testing

@testable import BridgeAdmin

/// Requests and answers of the endpoint as it runs.
struct AdminServiceTests {
    @Test func everyAnswerKeepsBrowsersInCheck() async throws {
        try await AdminEndpoint.run { endpoint in
            for path in ["/", "/healthz", "/api/status", "/metrics", "/nothing"] {
                let answer = try await endpoint.get(path)
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(answer.headers["referrer-policy"] == "no-referrer")
                #expect(answer.headers["cross-origin-resource-policy"] == "same-origin")
                #expect(answer.headers["cache-control"] == (path == "/" ? "no-cache" : "no-store"))
                #expect(answer.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
                #expect(answer.headers["server"] == nil)
            }
            #expect(try await endpoint.get("/").headers["content-security-policy"]?.contains("sha256-") == true)
        }
    }

    @Test func whatIsNotThereIsSaid() async throws {
        try await AdminEndpoint.run { endpoint in
            let missing = try await endpoint.get("/api/nothing")
            #expect(missing.status == 404)
            #expect(missing.body.hasPrefix(#"{"error":"there is nothing at this path"#))
            for (method, path, allow) in [
                ("POST", "/api/status", "GET, HEAD"), ("GET", "/api/drain", "POST"),
                ("DELETE", "/api/log", "GET, HEAD, PUT"),
                ("OPTIONS", "/api/devices/7", "GET, HEAD"), ("PUT", "/", "GET, HEAD"),
            ] {
                let answer = try await endpoint.send(method, path)
                #expect(answer.status == 405)
                #expect(answer.headers["allow"] == allow)
                #expect(answer.body.contains("this path takes \(allow), not \(method)"))
            }
        }
    }

    @Test func headHasNoBody() async throws {
        try await AdminEndpoint.run { endpoint in
            for path in ["/", "/healthz", "/metrics", "/api/status", "/api/devices"] {
                let answer = try await endpoint.send("HEAD", path)
                #expect(answer.status == 200)
                #expect(answer.body == "")
                #expect(answer.headers["content-length"].flatMap { Int($0) } ?? 0 > 0)
            }
            for (path, status) in [
                ("/nothing", 404), ("/api/drain", 405), ("/api/devices?limit=0", 400), ("/api/devices/7", 404),
            ] {
                let answer = try await endpoint.raw(
                    "HEAD \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
                #expect(answer.hasSuffix("\r\n\r\n") && !answer.contains("error"), "\(answer)")
            }
            for head in ["Host: evil.example", "Host: localhost\r\nHost: localhost"] {
                let answer = try await endpoint.raw("HEAD / HTTP/1.1\r\n\(head)\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 4") && answer.hasSuffix("\r\n\r\n"))
                #expect(!answer.contains("error"), "\(answer)")
            }
        }
    }

    @Test func theTokenOpensWhatItGuards() async throws {
        try await AdminEndpoint.run(token: AdminEndpoint.token + "\n") { endpoint in
            let refused = try await endpoint.get("/api/status")
            #expect(refused.status == 401)
            #expect(refused.headers["www-authenticate"] == #"Bearer realm="mqtt-quic-bridge""#)
            #expect(refused.body.contains("admin.token_file"))
            let wrong = try await endpoint.client(token: "wrong").send("GET", "/api/status")
            #expect(wrong.headers["www-authenticate"]?.contains("invalid_token") == true)
            #expect(try await endpoint.client(token: AdminEndpoint.token).send("GET", "/api/status").status == 200)
            #expect(try await endpoint.get("/healthz").status == 200)
            #expect(try await endpoint.get("/").status == 200)
        }
    }

    @Test func aNameElsewhereIsRefused() async throws {
        try await AdminEndpoint.run(hostNames: ["bridge.example"]) { endpoint in
            #expect(try await endpoint.get("/api/status", [("Host", "bridge.example:1")]).status == 200)
            let answer = try await endpoint.get("/api/status", [("Host", "evil.example")])
            #expect(answer.status == 421)
            #expect(answer.body.contains("evil.example") && answer.body.contains("admin.host_names"))
            #expect(try await endpoint.send("POST", "/api/drain", [("Origin", "http://evil.example")]).status == 403)
        }
    }

    @Test func healthChecksSayYesOrNo() async throws {
        let service = FakeService()
        try await AdminEndpoint.run(service) { endpoint in
            let well = try await endpoint.get("/readyz")
            #expect(well.status == 200)
            #expect(well.body == #"{"detail":"","ok":true}"#)
            service.states.withLock { $0 = ServiceState(ok: false, detail: "no answer") }
            for path in ["/healthz", "/readyz"] {
                let ill = try await endpoint.get(path)
                #expect(ill.status == 503)
                #expect(ill.body == #"{"detail":"no answer","ok":false}"#)
            }
        }
    }

    @Test func addressesAreForThoseWithTheToken() async throws {
        let service = FakeService()
        let detail = "the broker cannot be reached: 10.1.2.3:14567: the certificate of CN=secret has expired"
        service.states.withLock { $0 = ServiceState(ok: false, detail: detail) }
        try await AdminEndpoint.run(service, token: AdminEndpoint.token) { endpoint in
            for client in [endpoint.client(), endpoint.client(token: "wrong")] {
                let answer = try await client.send("GET", "/readyz")
                #expect(answer.status == 503)
                #expect(answer.body == #"{"detail":"the broker cannot be reached","ok":false}"#)
            }
            let whole = try await endpoint.client(token: AdminEndpoint.token).send("GET", "/readyz")
            #expect(whole.body.contains(detail))
        }
        try await AdminEndpoint.run(service) { endpoint in
            let whole = try await endpoint.get("/readyz")
            #expect(whole.body.contains(detail))
        }
    }

    @Test func devicesCanBeFoundAndDisconnected() async throws {
        let service = FakeService()
        for id in 1...5 { service.add("pump-\(id)", id: DeviceID(id)) }
        try await AdminEndpoint.run(service) { endpoint in
            let page = try await endpoint.get("/api/devices?limit=2&after=1")
            #expect(page.body.contains(#""client_id":"pump-2""#) && page.body.contains(#""next":3"#))
            #expect(try await endpoint.get("/api/devices?client_id=MP-4").body.contains(#""matching":1"#) == false)
            #expect(try await endpoint.get("/api/devices?client_id=mp-4").body.contains(#""matching":1"#))
            #expect(try await endpoint.get("/api/devices/4").body.contains(#""client_id":"pump-4""#))
            #expect(try await endpoint.send("POST", "/api/devices/4/disconnect").status == 204)
            for (method, path) in [("GET", "/api/devices/4"), ("POST", "/api/devices/4/disconnect")] {
                let gone = try await endpoint.send(method, path)
                #expect(gone.status == 404)
                #expect(gone.body == #"{"error":"device 4 is not connected, or not any more"}"#)
            }
        }
    }

    @Test(arguments: [
        (
            "/api/devices?clientid=x",
            "unknown parameter \\\"clientid\\\"; there are after, limit, client_id, state, address"
        ),
        ("/api/devices?limit=0", "limit=\\\"0\\\": it is a whole number, 1 to 1000"),
        ("/api/devices?limit=1001", "1 to 1000"), ("/api/devices?limit=", "1 to 1000"),
        ("/api/devices?limit=+5", "1 to 1000"), ("/api/devices?limit=%2B5", "1 to 1000"),
        ("/api/devices/+4", "is not the number of a device"),
        ("/api/devices?after=-1", "it is a whole number, from 0"), ("/api/devices?after=x", "from 0"),
        ("/api/devices?state=dead", "it is one of connecting, live, held, ending"),
        ("/api/devices?limit=1&limit=2", "limit is given twice"), ("/api/status?x=1", "this path takes none"),
        ("/api/devices/pump", "is not the number of a device"), ("/api/devices/-1", "is not the number of a device"),
        ("/metrics?name=x", "this path takes none"),
    ])
    func aWrongQuestionIsToldWhatWouldBeRight(path: String, message: String) async throws {
        try await AdminEndpoint.run { endpoint in
            let answer = try await endpoint.get(path)
            #expect(answer.status == 400)
            #expect(answer.body.contains(message), "\(answer.body)")
        }
    }

    @Test func theLogLevelChanges() async throws {
        try await AdminEndpoint.run { endpoint in
            #expect(try await endpoint.get("/api/log").body == #"{"level":"info"}"#)
            #expect(try await endpoint.send("PUT", "/api/log", body: #"{"level": "debug"}"#).status == 200)
            #expect(try await endpoint.get("/api/log").body == #"{"level":"debug"}"#)
            for body in ["", "debug", #"{"level":"loud"}"#, #"{"level":"info","for":"1"}"#, #"{"level":1}"#, "[]"] {
                let answer = try await endpoint.send("PUT", "/api/log", body: body)
                #expect(answer.status == 400)
                #expect(answer.body.contains("the levels are trace, debug, info"))
            }
            #expect(try await endpoint.get("/api/log").body == #"{"level":"debug"}"#)
        }
    }

    @Test func aReloadSaysWhatCameOfIt() async throws {
        let change = ReloadReport.Change(key: "uplink.host", effect: .needsRestart, detail: "after a restart")
        for (report, status) in [
            (nil, 501), (ReloadReport(ok: true, changes: [change], devicesEnded: 2), 200),
            (ReloadReport(ok: false, errors: ["bridge.yaml:3: no such key"]), 422),
            (ReloadReport(ok: false, changes: [change]), 409),
        ] as [(ReloadReport?, Int)] {
            try await AdminEndpoint.run(FakeService(), .fixed(reload: report)) { endpoint in
                let answer = try await endpoint.send("POST", "/api/reload?dry_run&all_or_nothing=true")
                #expect(answer.status == status)
                guard report != nil else { return #expect(answer.body.contains("cannot read its configuration again")) }
                #expect(answer.body.contains(#""devices_ended":"#))
                #expect(try await endpoint.send("POST", "/api/reload?dry_run=2").status == 400)
                // A trial must not be in earnest.
                let misplaced = try await endpoint.send("POST", "/api/reload", body: #"{"dry_run": true}"#)
                #expect(misplaced.status == 400 && misplaced.body.contains("POST /api/reload?dry_run=true"))
            }
        }
    }

    @Test func drainingBeginsAtOnce() async throws {
        let service = FakeService()
        try await AdminEndpoint.run(service) { endpoint in
            let answer = try await endpoint.send("POST", "/api/drain?within=30")
            #expect(answer.status == 202)
            #expect(answer.body == #"{"is_draining":true,"within":30}"#)
            #expect(try await endpoint.get("/api/status").body.contains(#""is_draining":true"#))
            for await limit in service.drains.prefix(1) { #expect(limit == .seconds(30)) }
            #expect(try await endpoint.send("POST", "/api/drain?within=1.5").status == 400)
            #expect(try await endpoint.send("POST", "/api/drain?within=86401").status == 400)
            service.isRunning.withLock { $0 = false }
            let refused = try await endpoint.send("POST", "/api/drain")
            #expect(refused.status == 503)
            #expect(refused.body.contains("starting or ending"))
        }
    }

    @Test func whatWentWrongIsListed() async throws {
        try await AdminEndpoint.run { endpoint in
            let answer = try await endpoint.get("/api/troubles")
            #expect(answer.body.contains(#""message":"session held""#) && answer.body.hasPrefix(#"{"troubles":["#))
        }
    }
}
