/// The maps of the configuration that hold keys, by their paths. A section may stand in another.
enum Section {
    static let all = ["uplink", "uplink.fallback", "uplink.identity", "auth", "limits", "log", "serve"]

    /// `uplink` of `uplink.host`; `nil` at the top.
    static func parent(of path: String) -> String? {
        path.lastIndex(of: ".").map { String(path[..<$0]) }
    }

    /// `host` of `uplink.host`.
    static func name(of path: String) -> String {
        path.lastIndex(of: ".").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Where to write what belongs into the section `path`: `under "log:"`.
    static func place(_ path: String) -> String {
        path.split(separator: ".").reversed().map { "under \"\($0):\"" }.joined(separator: " ")
    }
}
