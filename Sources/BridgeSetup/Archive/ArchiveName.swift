import BridgeCore

/// The name of an entry of a zip file, which a stranger may have chosen.
struct ArchiveName: Sendable, Equatable {
    /// The folder that the entry is in; `nil` if it is in none.
    var folder: String?
    /// Empty for a folder.
    var name: String

    /// In bytes, as file systems limit a name.
    private static let maximumLevelSize = 255

    /// - Throws: What makes the name unusable.
    init(_ bytes: some Sequence<UInt8>) throws(SetupProblem) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SetupProblem("an entry has a name that is not UTF-8")
        }
        let quoted = text.quotedForMessage(limit: 80)
        if let problem = Self.problem(with: text) { throw SetupProblem("the entry \(quoted) \(problem)") }
        let levels = Self.levels(text)
        switch levels.count {
        case 1: (folder, name) = (nil, levels[0])
        case 2: (folder, name) = (levels[0], levels[1])
        default: throw SetupProblem("the entry \(quoted) is in a folder in a folder; a bundle has one folder at most")
        }
    }

    private static func problem(with text: String) -> String? {
        if text.isEmpty { return "has no name" }
        // Bytes and not characters: a combining mark would hide what is before it.
        if text.utf8.first == UInt8(ascii: "/") { return "is an absolute path" }
        if text.utf8.contains(UInt8(ascii: "\\")) { return "has a backslash in its name" }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return "has a control character in its name"
        }
        // The last level is empty for a folder.
        let levels = levels(text)
        if levels.dropLast().contains(where: \.isEmpty) { return "has an empty folder name" }
        if levels.contains("..") { return "leads out of the folder (..)" }
        if levels.contains(".") { return "has the folder name \".\"" }
        return levels.contains { $0.utf8.count > maximumLevelSize } ? "has a name of more than 255 bytes" : nil
    }

    private static func levels(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
            String(Substring($0))
        }
    }

    var isFolder: Bool { name.isEmpty }

    /// Whether archivers add the entry by themselves, so that it is left out.
    var isJunk: Bool { folder == "__MACOSX" || name == ".DS_Store" }

    /// The same for names that some file systems take for the same.
    var key: String { "\(folder ?? "")/\(name)".lowercased() }
}
