import BridgeCore

/// Examines a PEM file far enough to recognize a wrong file. The TLS library checks the rest.
enum PEMFile {
    /// In bytes. A bundle of all public CAs has about 220 KB.
    private static let maximumSize = 4 * FileText.maximumSize

    /// Why `path` is not a file with at least one certificate; `nil` if it is.
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

    /// Why `path` is not a usable private key; `nil` if it is. Sets `isReadableByOthers` in either case.
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
