import BridgeCore
import Foundation
import Testing

@testable import BridgeAdmin

/// The description of the endpoint is true.
struct OpenAPITests {
    private static func document() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(OpenAPI.text.utf8)) as? [String: Any])
    }

    private static func paths() throws -> [String: [String: [String: Any]]] {
        try #require(try document()["paths"] as? [String: [String: [String: Any]]])
    }

    private static func schema() throws -> JSONSchema {
        let components = try #require(try document()["components"] as? [String: Any])
        return JSONSchema(schemas: try #require(components["schemas"] as? [String: Any]))
    }

    @Test func everyRouteIsDescribedAndNoOther() throws {
        let feed = EventFeed(service: FakeService(), troubles: { [] })
        let router = AdminRouter.make(feed: feed, service: FakeService(), controls: .fixed(), limits: AdminLimits())
        let routes = router.routes.map { "\($0.method.rawValue) \($0.path)".replacing(":id", with: "{id}") }
        let described = try Self.paths().flatMap { path, item in item.keys.map { "\($0.uppercased()) \(path)" } }
        #expect(Set(routes) == Set(described))
        #expect(routes.count == described.count)
    }

    @Test func theDocumentIsWhole() throws {
        #expect(try Self.document()["openapi"] as? String == "3.1.0")
        let schemas = try Self.schema().schemas
        var used: Set<String> = []
        for match in OpenAPI.text.matches(of: /"#\/components\/(schemas|responses)\/(\w+)"/) where match.1 == "schemas"
        {
            used.insert(String(match.2))
        }
        #expect(used == Set(schemas.keys))
        let names = try Self.paths().values.flatMap { $0.values.compactMap { $0["operationId"] as? String } }
        #expect(Set(names).count == names.count)
        for (path, item) in try Self.paths() {
            for operation in item.values {
                let parameters = operation["parameters"] as? [[String: Any]] ?? []
                #expect(path.contains("{id}") == parameters.contains { $0["in"] as? String == "path" })
            }
        }
    }

    /// Asks for everything that is described, in every way that it can go, and holds each answer against its schema.
    @Test func everyAnswerIsAsDescribed() async throws {
        let service = FakeService()
        service.add("pump-1", id: 1)
        service.add("pump-2", id: 2)
        service.report.withLock {
            $0.uplink.problem = "no answer"
            $0.listen = ["127.0.0.1:1883"]
            $0.certificates = [.init(role: "CA", subject: "CN=ca", expiresAt: 4.5)]
        }
        let change = ReloadReport.Change(key: "uplink.host", effect: .needsRestart, detail: "after a restart")
        let reports: [ReloadReport?] = [
            nil, ReloadReport(ok: true, warnings: ["w"], changes: [change], devicesEnded: 2),
            ReloadReport(ok: false, errors: ["e"]), ReloadReport(ok: false, changes: [change]),
        ]
        for report in reports {
            try await AdminEndpoint.run(service, .fixed(reload: report)) { endpoint in
                try await check(endpoint, "POST", "/api/reload", "?dry_run")
            }
        }
        try await AdminEndpoint.run(service) { endpoint in
            for path in [
                "/", "/metrics", "/api/status", "/api/log", "/api/troubles", "/api/history", "/api/openapi.json",
            ] {
                try await check(endpoint, "GET", path, "")
                if path != "/" { try await check(endpoint, "GET", path, "?unknown") }
            }
            for query in ["", "?limit=1", "?state=held", "?state=x"] {
                try await check(endpoint, "GET", "/api/devices", query)
            }
            for id in ["1", "99", "x"] {
                try await check(endpoint, "GET", "/api/devices/{id}", "", id: id)
                try await check(endpoint, "POST", "/api/devices/{id}/disconnect", "", id: id)
            }
            for query in ["", "?within=5", "?within=x"] { try await check(endpoint, "POST", "/api/drain", query) }
            for body in [#"{"level":"debug"}"#, "{}"] {
                try await check(endpoint, "PUT", "/api/log", "", body: body)
            }
            for ok in [true, false] {
                service.states.withLock { $0 = ServiceState(ok: ok, detail: "so") }
                try await check(endpoint, "GET", "/healthz", "")
                try await check(endpoint, "GET", "/readyz", "")
            }
        }
    }

    @Test func everyFieldOfASampleIsDescribed() throws {
        var history = History()
        _ = history.add(TrafficSample(), time: 1, uptime: 1)
        var totals = TrafficSample()
        totals.acknowledgement.add(seconds: 0.2)
        let added = history.add(totals, time: 6, uptime: 6)
        let sample = try #require(added)
        #expect(sample.acknowledgementP99 != nil)
        #expect(try faults(in: sample, "HistorySample") == [])
    }

    @Test func everyFieldOfADeviceIsDescribed() throws {
        var detail = DeviceDetail(
            summary: DeviceSummary(
                id: 1, state: .held, clientID: "a", address: "b", listener: "c", connectedAt: 1, bytesUp: 2,
                bytesDown: 3),
            session: .init(
                version: "5.0", username: "u", brokerClientID: "g", isCleanStart: true, keepAlive: 60, hasWill: false),
            uplink: .init(
                transport: "quic", mapping: "mux", remoteAddress: "r", localAddress: "l", roundTrip: 1.5,
                packetsLost: 1,
                datagramSize: 1_452, congestionWindow: 9, pathChanges: 0, isSilent: false),
            subscriptions: ["#"], inFlightUp: 1, inFlightDown: 2, bytesHeld: 3, lastFromDevice: 1, lastFromBroker: 2,
            lastProblem: "p")
        #expect(try faults(in: detail, "DeviceDetail") == [])
        detail.uplink?.transport = "carrier pigeon"
        #expect(try faults(in: detail, "DeviceDetail").count == 1)
        #expect(try faults(in: DeviceDetail(summary: detail.summary), "DeviceDetail") == [])
        #expect(try faults(in: ["id": 1], "DeviceSummary").count == 7)
        #expect(try faults(in: ["level": "info", "more": "x"], "LogLevel") == ["$.more is not described"])
    }

    private func faults(in value: some Encodable, _ schema: String) throws -> [String] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return try Self.schema().faults(
            in: try JSONSerialization.jsonObject(with: try encoder.encode(value)),
            ["$ref": "#/components/schemas/\(schema)"])
    }

    private func check(
        _ endpoint: AdminEndpoint, _ method: String, _ path: String, _ query: String, id: String = "", body: String = ""
    ) async throws {
        let answer = try await endpoint.send(method, path.replacing("{id}", with: id) + query, body: body)
        let operation = try #require(try Self.paths()[path]?[method.lowercased()])
        let responses = try #require(operation["responses"] as? [String: [String: Any]])
        let key = responses["\(answer.status)"] == nil ? "\(answer.status / 100)XX" : "\(answer.status)"
        var response = try #require(responses[key], "\(method) \(path) answers \(answer.status)")
        if response["$ref"] != nil {
            response = ["content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]]]
        }
        guard let content = response["content"] as? [String: [String: [String: Any]]] else {
            return #expect(answer.body == "" && answer.headers["content-type"] == nil)
        }
        let type = answer.headers["content-type"]?.split(separator: ";").first.map(String.init) ?? ""
        let schema = try #require(content[type]?["schema"], "\(method) \(path) is \(type)")
        guard type == "application/json" else { return }
        let value = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
        #expect(try Self.schema().faults(in: value, schema) == [], "\(method) \(path)\(query)")
    }
}
