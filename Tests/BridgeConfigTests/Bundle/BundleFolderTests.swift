import Foundation
import Testing

@testable import BridgeConfig

@Suite("Folder of a bundle")
struct BundleFolderTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/sensor-1" }

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("sensor-1/mqtt-quic-config.json", Bundles.configuration())
        try folder.write("sensor-1/ca-chain.pem", Bundles.authorities)
        try folder.write("sensor-1/README-MQTT-QUIC.txt", "for people")
    }

    private func message() -> String {
        do {
            return "read: \(try BundleFolder.read(path).findings)"
        } catch {
            return error.description
        }
    }

    @Test("The files of a bundle are read")
    func read() throws {
        let bundle = try BundleFolder.read(path)
        #expect(bundle.identity?.username == "sensor-1")
        #expect(bundle.files == [.configuration, .authorities])
        #expect(bundle.findings == [])
    }

    @Test("A password that other users can read is found")
    func exposed() throws {
        try folder.write("sensor-1/mqtt-quic-config.json", Bundles.configuration(), mode: 0o640)
        let findings = try BundleFolder.read(path).findings
        #expect(findings.map(\.kind) == [.exposed])
        #expect(findings.first?.description.hasPrefix("\(path)/mqtt-quic-config.json: contains a password") == true)
        try folder.write(
            "sensor-1/mqtt-quic-config.json", Bundles.configuration(password: "<password>"), mode: 0o644)
        #expect(try BundleFolder.read(path).findings.map(\.kind) == [.placeholder])
    }

    @Test("A missing folder, and a file in its place, are named")
    func noFolder() {
        #expect(throws: ConfigurationErrors.self) { try BundleFolder.read(path + "-2") }
        #expect(throws: ConfigurationErrors.self) { try BundleFolder.read(path + "/ca-chain.pem") }
    }

    @Test("A link within the folder is followed, as in the volumes of Kubernetes")
    func linkInside() throws {
        try folder.write("sensor-1/..data/endpoints.json", #"{"mqtts": {"port": 8884}}"#)
        try FileManager.default.createSymbolicLink(
            atPath: path + "/endpoints.json", withDestinationPath: "..data/endpoints.json")
        #expect(try BundleFolder.read(path).fallback?.value.port == 8884)
    }

    @Test("A link out of the folder is refused")
    func linkOutside() throws {
        try folder.write("other.env", "MQTT_PASSWORD=x")
        try FileManager.default.createSymbolicLink(atPath: path + "/.env", withDestinationPath: "../other.env")
        #expect(message().hasPrefix("\(path)/.env: is a symbolic link out of the folder"), "\(message())")
    }

    @Test("A folder whose name only begins like this one's is another one")
    func neighbour() throws {
        try folder.write("sensor-10/endpoints.json", "{}")
        try FileManager.default.createSymbolicLink(
            atPath: path + "/endpoints.json", withDestinationPath: "../sensor-10/endpoints.json")
        #expect(message().contains("is a symbolic link out of the folder"), "\(message())")
    }

    @Test("A link to nothing is named")
    func danglingLink() throws {
        try FileManager.default.createSymbolicLink(atPath: path + "/.env", withDestinationPath: "nothing")
        #expect(message().contains("is a symbolic link to something that does not exist"), "\(message())")
    }

    @Test("A pipe in place of a file is refused, and not waited for")
    func pipe() {
        #expect(mkfifo(path + "/endpoints.json", 0o600) == 0)
        #expect(message().contains("endpoints.json: is a pipe, not a file"), "\(message())")
    }

    @Test("A file that is too large is refused")
    func tooLarge() throws {
        try folder.write("sensor-1/.env", String(repeating: "#", count: BundleFile.maximumSize + 1))
        #expect(message().contains("/.env: is larger than 256KiB"), "\(message())")
    }
}
