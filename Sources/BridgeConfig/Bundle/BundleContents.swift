/// The contents of a bundle's files, wherever they come from.
package struct BundleContents: Sendable {
    /// Where the bundle is, for messages: `credential_certificates/sensor-1`.
    package var place: String
    package var files: [BundleFile: [UInt8]]
    /// Names of further files beside them, which may be files of CA certificates.
    package var otherNames: Set<String>
    /// The files that the group of their owner, or everybody, may read.
    package var readableByOthers: Set<BundleFile>
    /// Whether the file of CA certificates is known to be sound, so that it is not examined again.
    var hasSoundAuthorities = false

    package init(
        place: String, files: [BundleFile: [UInt8]], otherNames: Set<String> = [],
        readableByOthers: Set<BundleFile> = []
    ) {
        self.place = place
        self.files = files
        self.otherNames = otherNames
        self.readableByOthers = readableByOthers
    }

    /// Whether there is a file that says something about the device.
    var isBundle: Bool { files.keys.contains { $0 != .authorities } }

    func path(of file: BundleFile) -> String { PathResolver.resolve(file.rawValue, in: place) }

    func contains(_ name: String) -> Bool {
        otherNames.contains(name) || BundleFile(rawValue: name).map { files[$0] != nil } ?? false
    }
}
