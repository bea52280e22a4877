import BridgeAdmin
import Foundation

/// A real Prometheus that scrapes an admin endpoint every second.
struct Prometheus: Sendable {
    let process: ChildProcess
    private let client: AdminClient

    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/prometheus")

    /// - Parameter token: What the endpoint asks for.
    static func start(in folder: Folder, scraping port: Int, token: String) async throws -> Prometheus {
        let file = try folder.write(
            "prometheus.yml",
            """
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs:
              - job_name: bridge
                authorization: {credentials: "\(token)"}
                static_configs: [{targets: ["127.0.0.1:\(port)"]}]

            """)
        let process = try await ChildProcess.start(
            "prometheus", "/usr/bin/prometheus",
            [
                "--config.file=\(file)", "--storage.tsdb.path=\(folder.path)/prometheus",
                "--web.listen-address=127.0.0.1:0",
            ])
        do {
            let line = try await process.errors.first("Prometheus to listen") { $0.contains("Listening on") }
            guard let match = line.firstMatch(of: /address="?127\.0\.0\.1:(\d+)/), let port = Int(match.1) else {
                throw HarnessError("no port in: \(line)")
            }
            let url = AdminURL(host: "127.0.0.1", port: port)
            return Prometheus(process: process, client: AdminClient(url, timeout: .seconds(30)))
        } catch {
            await process.stop()
            throw error
        }
    }

    /// The values that an expression has now, one for each series; `nil` if Prometheus does not answer the query, for
    /// example because it is not ready yet.
    func values(_ expression: String) async throws -> [Double]? {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "_"))
        let query = expression.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let answer = try await client.send("GET", "/api/v1/query?query=\(query)")
        guard answer.status == 200 else { return nil }
        let object = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        let result = (object?["data"] as? [String: Any])?["result"] as? [[String: Any]]
        return result?.compactMap { series in
            ((series["value"] as? [Any])?.last as? String).flatMap { Double($0) }
        }
    }

    /// The value that an expression has now, if it has exactly one.
    func value(_ expression: String) async throws -> Double? {
        guard let values = try await values(expression), values.count == 1 else { return nil }
        return values[0]
    }

    /// Asks until the expression has that value.
    func wait(for expression: String, _ wanted: Double) async throws {
        while try await value(expression) != wanted { try await Task.sleep(for: .milliseconds(200)) }
    }
}
