import BridgeCore

/// Looks into a PEM file far enough to tell a wrong file from a right one. The TLS library does the rest.
enum PEMFile {
    /// Bundles of all public CAs are about 220 KB.
    private static let maximumSize = 4 * FileText.maximumSize

    /// What keeps `path` from being a file with at least one certificate; `nil` where it is one.
    static func problemWithCertificates(at path: String) -> FileText.Problem? {
        do {
            let content = try FileText.read(path, maximumSize: maximumSize)
            return CredentialFile.problem(withCertificates: content.bytes, at: path).map {
                FileText.Problem(message: $0)
            }
        } catch {
            return error
        }
    }

    /// What keeps `path` from being a usable private key; `nil` where it is one. `isReadableByOthers` is set either
    /// way.
    static func problemWithKey(at path: String, isReadableByOthers: inout Bool) -> FileText.Problem? {
        do {
            let content = try FileText.read(path, maximumSize: maximumSize)
            isReadableByOthers = content.isReadableByOthers
            return CredentialFile.problem(withKey: content.bytes, at: path).map { FileText.Problem(message: $0) }
        } catch {
            return error
        }
    }
}
