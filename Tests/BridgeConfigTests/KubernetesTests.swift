import Foundation
import Testing

@testable import BridgeConfig

/// The manifests of `deploy/kubernetes`: their parts fit each other, and the configurations in them load. `scripts/lint`
/// checks them against Kubernetes' own schemas.
struct KubernetesTests {
    private static let files = Document.files(under: "deploy/kubernetes").filter { $0.hasSuffix(".yaml") }

    private struct Manifest {
        var configuration: String
        var pod: [String: Any]
        /// The container that runs the bridge.
        var container: [String: Any]

        init(_ path: String) throws {
            let documents = try AnyYAML.documents(Document(path).text).compactMap { $0 as? [String: Any] }
            let map = try #require(documents.first { $0["kind"] as? String == "ConfigMap" })
            configuration = try #require((map["data"] as? [String: String])?["bridge.yaml"])
            let specs = documents.compactMap { $0["spec"] as? [String: Any] }
            let template = try #require(specs.compactMap { $0["template"] as? [String: Any] }.first)
            let pod = try #require(template["spec"] as? [String: Any])
            self.pod = pod
            let lists = ["initContainers", "containers"].compactMap { pod[$0] as? [[String: Any]] }
            container = try #require(lists.joined().first { $0["image"] as? String == "mqtt-quic-bridge" })
        }

        /// Where the container has each of the pod's volumes.
        var mounts: [String: String] {
            let mounts = container["volumeMounts"] as? [[String: Any]] ?? []
            return Dictionary(
                uniqueKeysWithValues: mounts.map { ($0["name"] as? String ?? "", $0["mountPath"] as? String ?? "") })
        }

        var environment: [String: String] {
            let variables = container["env"] as? [[String: Any]] ?? []
            return Dictionary(
                uniqueKeysWithValues: variables.map { ($0["name"] as? String ?? "", $0["value"] as? String ?? "") })
        }
    }

    /// Every folder that the manifest names has to be in the image that builds it.
    @Test func theImageHasEveryFolderOfTheManifest() throws {
        let manifest = try Document("Package.swift").text
        let named = manifest.matches(of: /path: "([A-Za-z]+)\//).map { String($0.1) }
        let (image, ignored) = (try Document("deploy/Dockerfile").text, try Document(".dockerignore").text)
        for folder in Set(named).union(["Sources", "Tests", "Plugins"]) {
            #expect(image.contains("COPY \(folder) \(folder)\n") && ignored.contains("\n!\(folder)\n"), "\(folder)")
        }
    }

    @Test func thereAreSome() {
        #expect(Self.files == ["deploy/kubernetes/gateway.yaml", "deploy/kubernetes/sidecar.yaml"])
    }

    /// As in the container: with its environment, and the files of its secrets elsewhere.
    @Test(arguments: files)
    func theConfigurationLoads(path: String) throws {
        let manifest = try Manifest(path)
        let folder = try TemporaryFolder()
        try folder.write("ca-chain.pem", TemporaryFolder.certificate)
        try folder.write("token", String(repeating: "a", count: 64) + "\n")
        var text = manifest.configuration
        for mount in ["/run/secrets/mqtt-broker", "/run/secrets/mqtt-quic-bridge-admin", "/var/lib/mqtt-quic-bridge"] {
            #expect(manifest.mounts.values.contains(mount) == text.contains(mount))
            text = text.replacing(mount, with: folder.path)
        }
        let file = try folder.write("bridge.yaml", text)
        let environment = manifest.environment.filter { $0.key != "NODE_IP" }
            .mapValues { $0.replacing("$(NODE_IP)", with: "192.0.2.1") }
        let loaded = try ConfigurationLoader.load(.run, file: file, environment: environment)
        #expect(loaded.warnings == [])
        #expect(loaded.configuration.listen.map(\.port) == [1_883])
        #expect(loaded.configuration.uplink.fallback != nil)
    }

    @Test(arguments: files)
    func everyMountHasItsVolume(path: String) throws {
        let manifest = try Manifest(path)
        let volumes = manifest.pod["volumes"] as? [[String: Any]] ?? []
        #expect(Set(volumes.compactMap { $0["name"] as? String }) == Set(manifest.mounts.keys))
    }

    /// The probes ask where the program listens.
    @Test(arguments: files)
    func theProbesAskTheProgram(path: String) throws {
        let manifest = try Manifest(path)
        let ports = manifest.container["ports"] as? [[String: Any]] ?? []
        let configurationFolder = try #require(manifest.mounts["configuration"])
        var count = 0
        for name in ["startupProbe", "livenessProbe", "readinessProbe"] {
            guard let probe = manifest.container[name] as? [String: Any] else { continue }
            count += 1
            if let command = (probe["exec"] as? [String: Any])?["command"] as? [String] {
                // A program that only does not reach the broker is not to be ended.
                let question = name == "readinessProbe" ? [] : ["--alive"]
                let file = "\(configurationFolder)/bridge.yaml"
                #expect(command == ["mqtt-quic-bridge", "health"] + question + ["--config", file])
                continue
            }
            let request = try #require(probe["httpGet"] as? [String: Any])
            let port = try #require(ports.first { $0["name"] as? String == request["port"] as? String })
            let number = try #require(port["containerPort"] as? Int)
            #expect(manifest.environment["BRIDGE_ADMIN_LISTEN"] == "$(NODE_IP):\(number)")
            #expect(request["path"] as? String == (name == "readinessProbe" ? "/readyz" : "/healthz"))
        }
        #expect(count >= 2)
    }

    /// The program of the image is user 10001 and needs to write only to its state.
    @Test(arguments: files)
    func theContainerHasFewRights(path: String) throws {
        let manifest = try Manifest(path)
        let context = try #require(manifest.container["securityContext"] as? [String: Any])
        #expect(try Document("deploy/Dockerfile").text.contains("\nUSER 10001:10001\n"))
        #expect(context["runAsUser"] as? Int == 10_001 && context["runAsNonRoot"] as? Bool == true)
        #expect(context["readOnlyRootFilesystem"] as? Bool == true)
        #expect(context["allowPrivilegeEscalation"] as? Bool == false)
        let resources = try #require(manifest.container["resources"] as? [String: Any])
        #expect((resources["limits"] as? [String: Any])?["memory"] != nil)
    }
}
