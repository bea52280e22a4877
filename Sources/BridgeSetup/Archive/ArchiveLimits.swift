/// How much a zip file may contain. A real bundle is four files with less than 20 KB together.
package struct ArchiveLimits: Sendable {
    /// Size of the zip file itself, in bytes.
    package var fileSize = 4_194_304
    package var entries = 64
    /// Size of one entry when it is unpacked, in bytes.
    package var entrySize = 262_144
    /// Size of all entries when they are unpacked, in bytes.
    package var totalSize = 1_048_576

    package init() {}
}
