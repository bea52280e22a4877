/// Users files that Mosquitto's own tool makes.
enum PasswordFile {
    /// Writes the file in one step, so that no reader sees it incomplete or with plain-text passwords, and returns its
    /// path.
    @discardableResult
    static func write(_ name: String, in folder: Folder, _ users: [String: String]) async throws -> String {
        let content = users.map { "\($0.key):\($0.value)\n" }.joined()
        let draft = try folder.write("\(name).draft", content)
        // This replaces the passwords in the file by their hashes.
        let hashing = try await ChildProcess.start("mosquitto_passwd", "mosquitto_passwd", ["-U", draft])
        guard try await hashing.end() == .exit(0) else {
            throw HarnessError("mosquitto_passwd failed", await hashing.errors.all.joined(separator: "\n"))
        }
        return try folder.replace(name, by: draft)
    }
}
