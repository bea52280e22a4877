/// The sections of the configuration by their paths. A section can be inside another one.
enum Section {
    static let all = ["uplink", "uplink.fallback", "uplink.identity", "auth", "limits", "log", "admin", "serve"]

    /// `uplink` for `uplink.host`; `nil` at the top level.
    static func parent(of path: String) -> String? {
        path.lastIndex(of: ".").map { String(path[..<$0]) }
    }

    /// `host` for `uplink.host`.
    static func name(of path: String) -> String {
        path.lastIndex(of: ".").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// In words for the operator, where to write a key of the section `path`: `under "log:"`.
    static func place(_ path: String) -> String {
        path.split(separator: ".").reversed().map { "under \"\($0):\"" }.joined(separator: " ")
    }
}
