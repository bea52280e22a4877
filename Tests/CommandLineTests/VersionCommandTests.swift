import BridgeCore
import Foundation
import Testing

@testable import mqtt_quic_bridge

struct VersionCommandTests {
    private func output(_ arguments: [String]) throws -> String {
        let replaced = VersionCommand.replacement(for: arguments)
        let command = try #require(try BridgeCommand.parseAsRoot(replaced) as? VersionCommand)
        return try command.output()
    }

    @Test func theVersionAlone() throws {
        #expect(try output(["version"]) == "\(Version.current)\n")
    }

    @Test(arguments: [["--version", "--verbose"], ["--verbose", "--version"], ["version", "--verbose"]])
    func librariesAndPackages(arguments: [String]) throws {
        let lines = try output(arguments).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.first == ["mqtt-quic-bridge", Version.current])
        for name in ["ngtcp2", "GnuTLS", "libyaml", "swift-nio", "swift-nio-ssl", "hummingbird"] {
            let line = try #require(lines.first { $0.first == name }, "\(name)")
            #expect(line.count == 2)
            #expect(line.last?.wholeMatch(of: /[0-9]+(\.[0-9]+)+[-+.a-z0-9]*/) != nil, "\(line)")
        }
    }

    /// The build records what it has resolved, and nothing that only tests or other packages use.
    @Test func onlyPackagesWhoseCodeIsInTheProgram() throws {
        let names = SwiftPackage.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names == names.sorted { $0.lowercased() < $1.lowercased() })
        #expect(!names.contains("async-http-client"))
        #expect(!names.contains("mqtt-quic-bridge"))
        #expect(SwiftPackage.all.allSatisfy { $0.location.hasPrefix("https://") })
    }

    @Test func jsonHasTheSame() throws {
        let report = try JSONDecoder().decode(VersionReport.self, from: Data(try output(["version", "--json"]).utf8))
        #expect(report.version == Version.current)
        #expect(report.packages == SwiftPackage.all)
        #expect(report.libraries.map(\.name) == ["ngtcp2", "GnuTLS", "libyaml"])
    }

    /// Only the two together are another spelling of the command.
    @Test(arguments: [["--version"], ["run", "--version"], ["--version", "--verbose", "--json"], []])
    func otherArgumentsStay(arguments: [String]) {
        #expect(VersionCommand.replacement(for: arguments) == arguments)
    }
}
