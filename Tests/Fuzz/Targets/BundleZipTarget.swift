import BridgeConfig
import BridgeSetup

/// A zip file is refused, or its files are few, small and named as files of one folder can be; and what is in them is a
/// bundle like any other.
package enum BundleZipTarget: FuzzTarget {
    package static let name = "bundle-zip"
    package static let summary = "a zip file is refused, or gives few and small files of one folder"
    package static let maximumLength = 4096
    package static let seeds = [
        SampleZip.stored([("bundle/", ""), ("bundle/.env", SampleBundle.files[1])]),
        SampleZip.stored(zip(["mqtt-quic-config.json", ".env", "endpoints.json", "ca-chain.pem"], SampleBundle.files)),
        SampleZip.stored([("../x", "x")]), SampleZip.stored([("a/b/c", "x")]), SampleZip.stored([]),
        SampleZip.deflated,
    ]
    package static let words = ["PK\u{1}\u{2}", "PK\u{3}\u{4}", "PK\u{5}\u{6}", "PK\u{6}\u{6}", "../", "__MACOSX/"]
        .map { Array($0.utf8) }

    private static let folder = Result { try ScratchFolder() }

    package static func run(_ input: [UInt8]) throws {
        let path = try folder.get().write("bundle.zip", input)
        var limits = ArchiveLimits()
        limits.entries = 8
        limits.entrySize = 4096
        limits.totalSize = 8192
        let entries: [Archive.Entry]
        do throws(SetupProblem) {
            entries = try Archive.read(path, limits: limits)
        } catch {
            return try requireOneLine(error.description)
        }
        try require((1...limits.entries).contains(entries.count), "\(entries.count) entries")
        try require(entries.allSatisfy { $0.bytes.count <= limits.entrySize }, "an entry is too large")
        try require(entries.reduce(0) { $0 + $1.bytes.count } <= limits.totalSize, "all entries are too large")
        for name in entries.map(\.name) {
            try require(
                !name.isEmpty && name != ".." && name != "." && !name.utf8.contains(UInt8(ascii: "/"))
                    && !name.utf8.contains(0), "an entry with the name \(name)")
        }
        var files: [BundleFile: [UInt8]] = [:]
        for entry in entries { if let file = BundleFile(rawValue: entry.name) { files[file] = entry.bytes } }
        try BundleTarget.check(BundleContents(place: "bundle", files: files, otherNames: Set(entries.map(\.name))))
    }
}
