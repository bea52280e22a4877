import Foundation
import Testing

@testable import BridgeConfig

/// The files of `deploy` for `docker compose`: what they name is there, and the configurations that they lead to load.
struct ComposeTests {
    private static let files = Document.files(under: "deploy").filter { $0.hasPrefix("deploy/compose") }
    /// What a user puts beside the project's files.
    private static let ofTheUser: Set<String> = ["bridge.yaml", "serve.yaml", "deploy/admin_token"]

    /// A file, with what compose.yaml has declared for it.
    private struct Project {
        let services: [String: [String: Any]]
        private let own: [String: Any]

        init(_ path: String) throws {
            own = try #require(try AnyYAML.load(Document(path).text) as? [String: Any])
            services = try #require(own["services"] as? [String: [String: Any]])
        }

        /// The names that are declared as `networks`, `volumes` or `secrets`.
        func declared(_ kind: String) -> Set<String> {
            Set((own[kind] as? [String: Any] ?? [:]).keys)
        }
    }

    private static func names(_ value: Any?) -> [String] {
        value as? [String] ?? []
    }

    private static func binds(of service: [String: Any]) -> [String] {
        (service["volumes"] as? [Any] ?? []).compactMap { ($0 as? [String: Any])?["source"] as? String }
    }

    private static func environment(of service: [String: Any]) -> [String: String] {
        (service["environment"] as? [String: Any] ?? [:]).mapValues { "\($0)" }
    }

    @Test func thereAreSome() {
        #expect(
            Self.files == ["deploy/compose.monitoring.yaml", "deploy/compose.sidecar.yaml", "deploy/compose.yaml"])
    }

    @Test(arguments: files) func filesThatAreMountedExist(path: String) throws {
        for (name, service) in try Project(path).services {
            for bind in Self.binds(of: service) {
                let file = Document.root.appending(path: "deploy").appending(path: bind).standardizedFileURL.path
                let relative = String(file.dropFirst(Document.root.standardizedFileURL.path.count + 1))
                #expect(
                    Self.ofTheUser.contains(relative) || FileManager.default.fileExists(atPath: file),
                    "\(name): \(bind)")
            }
        }
    }

    @Test(arguments: files) func everyNameIsDeclared(path: String) throws {
        let (project, base) = (try Project(path), try Project("deploy/compose.yaml"))
        // A file that is used with compose.yaml has the same name as it.
        let isUsedWithIt = try Document(path).text.contains("\nname: mqtt-quic-bridge\n")
        func declared(_ kind: String) -> Set<String> {
            project.declared(kind).union(isUsedWithIt ? base.declared(kind) : [])
        }
        for (name, service) in project.services {
            #expect(declared("networks").isSuperset(of: Self.names(service["networks"])), "\(name)")
            #expect(declared("secrets").isSuperset(of: Self.names(service["secrets"])), "\(name)")
            let volumes = (service["volumes"] as? [Any] ?? []).compactMap { $0 as? String }
                .compactMap { $0.split(separator: ":").first.map(String.init) }
            #expect(declared("volumes").isSuperset(of: volumes), "\(name)")
            let other = service["extends"] as? [String: String]
            #expect(other == nil || other == ["file": "compose.yaml", "service": name], "\(name)")
        }
    }

    @Test(arguments: files) func variablesAreThoseOfKeys(path: String) throws {
        let variables = Set(Key.allCases.map(\.variable))
        for (name, service) in try Project(path).services {
            for variable in Self.environment(of: service).keys where variable.hasPrefix("BRIDGE_") {
                #expect(variables.contains(variable), "\(name): \(variable)")
            }
        }
    }

    /// A container that is started again has a new network, and those that share its network stay in the old one.
    @Test func aCrashOfTheBridgeLeavesTheNetworkOfTheDevice() throws {
        let services = try Project("deploy/compose.sidecar.yaml").services
        for name in ["bridge", "device"] {
            #expect(services[name]?["network_mode"] as? String == "service:network", "\(name)")
        }
        let keeper = try #require(services["network"])
        #expect(keeper["entrypoint"] as? [String] == ["sleep", "infinity"] && keeper["network_mode"] == nil)
    }

    /// As in the containers: with their environment, and their secrets elsewhere.
    @Test func theConfigurationsLoad() throws {
        let folder = try TemporaryFolder.forServe()
        try folder.write("admin_token", String(repeating: "a", count: 64) + "\n")
        let (base, monitoring) = (try Project("deploy/compose.yaml"), try Project("deploy/compose.monitoring.yaml"))
        func environment(_ service: String) throws -> [String: String] {
            let files = [base, monitoring].compactMap { $0.services[service] }
            return files.map(Self.environment).reduce(into: [:]) { $0.merge($1) { $1 } }.mapValues {
                $0.replacing("/run/secrets", with: folder.path)
                    .replacing("/var/lib/mqtt-quic-bridge", with: folder.path)
            }
        }
        let bridge = try folder.write("bridge.yaml", minimal)
        let run = try ConfigurationLoader.load(.run, file: bridge, environment: try environment("bridge"))
        #expect(run.warnings == [] && run.configuration.listen.map(\.name) == ["0.0.0.0:1883"])
        let serve = try folder.write("serve.yaml", minimalServe)
        let served = try ConfigurationLoader.load(.serve, file: serve, environment: try environment("serve"))
        #expect(served.warnings == [] && served.configuration.brokerHost == "mosquitto")
        #expect(base.services["mosquitto"] != nil)
        // Prometheus asks where they answer.
        let scraping = try #require(
            try AnyYAML.load(Document("deploy/prometheus/compose.yml").text) as? [String: Any])
        let jobs = try #require(scraping["scrape_configs"] as? [[String: Any]])
        let targets = try #require((jobs.first?["dns_sd_configs"] as? [[String: Any]])?.first)
        #expect(targets["names"] as? [String] == ["bridge", "serve"])
        for admin in [run.configuration.admin, served.configuration.admin] {
            #expect(admin.listen?.port == targets["port"] as? Int && admin.listen?.host == "0.0.0.0")
        }
    }
}
