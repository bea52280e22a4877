import BridgeConfig
import BridgeCore
import QUICTransport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the program is made of.
struct VersionReport: Codable {
    /// A shared library that the program has loaded.
    struct Library: Codable {
        let name: String
        let version: String
    }

    let version: String
    let libraries: [Library]
    let packages: [SwiftPackage]

    /// This program.
    static var current: VersionReport {
        VersionReport(
            version: Version.current,
            libraries: [
                Library(name: "ngtcp2", version: LinkedLibraries.ngtcp2),
                Library(name: "GnuTLS", version: LinkedLibraries.gnuTLS),
                Library(name: "libyaml", version: YAMLLibrary.version),
            ],
            packages: SwiftPackage.all)
    }

    /// For people, with a line break at the end.
    var text: String {
        let width = (libraries.map(\.name) + packages.map(\.name)).map(\.count).max() ?? 0
        func line(_ name: String, _ version: String) -> String {
            "  \(name.padded(to: width))  \(version)\n"
        }
        return "mqtt-quic-bridge \(version)\n\nShared libraries, as loaded now:\n"
            + libraries.map { line($0.name, $0.version) }.joined()
            + "\nSwift packages, as built in:\n"
            + packages.map { line($0.name, $0.version) }.joined()
    }

    /// For programs, with a line break at the end.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
