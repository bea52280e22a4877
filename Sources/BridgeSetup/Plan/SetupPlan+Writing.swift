import BridgeConfig
import BridgeCore

extension SetupPlan {
    /// Writes everything, or nothing.
    ///
    /// - Returns: What the operator should know about the new file.
    /// - Throws: What is in the way, why the configuration could not be used, or what else went wrong.
    @discardableResult
    package func write() throws(SetupProblem) -> [String] {
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
            undo.append { NewFile.remove(paths.file) }
            return try notes(about: try load())
        } catch {
            for step in undo.reversed() { step() }
            throw error
        }
    }

    /// Reads what was written as `run` would. A file that cannot be used would only be in the way of the next one.
    private func load() throws(SetupProblem) -> LoadedConfiguration {
        do {
            return try ConfigurationLoader.load(.run, file: paths.file, environment: [:])
        } catch {
            let lines = error.all.map { error in
                // The file is gone when this is read, so its lines mean nothing.
                guard let key = error.key, error.origin.variable == nil else { return error.description }
                return "\(request.option(for: key) ?? key): \(error.message)"
            }
            throw SetupProblem(
                (["nothing is written, because the configuration could not be used:"] + lines)
                    .joined(separator: "\n  "))
        }
    }

    /// - Throws: That an option has no effect, because of the `.env` beside the configuration file.
    private func notes(about loaded: LoadedConfiguration) throws(SetupProblem) -> [String] {
        for value in loaded.overridden {
            guard let option = request.option(for: value.key) else { continue }
            throw SetupProblem(
                "\(option) would have no effect, because \(value.winner) overrides the configuration file: change"
                    + " that line or delete it, or leave \(option) out")
        }
        return loaded.overridden.map { value in
            "\(value.winner) overrides \(value.key) of \(paths.file): delete that line if it is not the one to use"
        }
    }

    /// Whether a file with the same password is there, which nobody else can read.
    private func isThere(_ secret: (path: String, password: Secret)) throws(SetupProblem) -> Bool {
        guard NewFile.exists(secret.path) else { return false }
        let content = try FileText.content(of: secret.path, maximumSize: 65_536)
        let isSame = content.bytes == Array(secret.password.value.utf8) + [10]
        guard isSame, !content.isReadableByOthers else { throw NewFile.isInTheWay(secret.path) }
        return true
    }
}
