import BridgeCore

extension SetupPlan {
    /// Writes everything, or nothing.
    ///
    /// - Throws: What is in the way, or what else went wrong.
    package func write() throws(SetupProblem) {
        var undo: [() -> Void] = []
        do throws(SetupProblem) {
            if secret != nil || unpacked != nil, try NewFile.makeFolder(paths.credentials) {
                undo.append { NewFolder.remove(paths.credentials, []) }
            }
            if let unpacked {
                try NewFolder.write(unpacked.files, to: unpacked.folder)
                undo.append { NewFolder.remove(unpacked.folder, unpacked.files) }
            }
            if let secret, try !isThere(secret) {
                try NewFile.write(Array(secret.password.value.utf8) + [10], to: secret.path, mode: NewFile.secretMode)
                undo.append { NewFile.remove(secret.path) }
            }
            try NewFile.write(Array(text.utf8), to: paths.file, mode: 0o644)
        } catch {
            for step in undo.reversed() { step() }
            throw error
        }
    }

    /// Whether a file with the same password is there, which nobody else can read.
    private func isThere(_ secret: (path: String, password: Secret)) throws(SetupProblem) -> Bool {
        guard NewFile.exists(secret.path) else { return false }
        let content = try FolderListing.content(of: secret.path, maximumSize: 65_536)
        let isSame = content.bytes == Array(secret.password.value.utf8) + [10]
        guard isSame, !content.isReadableByOthers else { throw NewFile.problem(secret.path, NewFile.isThereCode) }
        return true
    }
}
