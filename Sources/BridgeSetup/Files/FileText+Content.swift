import BridgeConfig

extension FileText {
    /// A whole regular file, or a link to one.
    ///
    /// - Parameter maximumSize: In bytes; a larger file is refused.
    static func content(of path: String, maximumSize: Int) throws(SetupProblem) -> Content {
        do {
            return try readRegular(path, maximumSize: maximumSize, followsLinks: true)
        } catch {
            throw SetupProblem("\(path): \(error.message)")
        }
    }
}
