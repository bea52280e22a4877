extension ConfigurationReader {
    /// The path of a PEM file with certificates. A file that is not usable is reported, but its path is still returned.
    func certificates(_ key: Key) -> String? {
        guard let path = path(key) else { return nil }
        if let problem = PEMFile.problemWithCertificates(at: path) { error(key, "\(path): \(problem.message)") }
        return path
    }

    /// The path of a PEM file with a private key. A file that is not usable is reported, but its path is still
    /// returned.
    func privateKey(_ key: Key) -> String? {
        guard let path = path(key) else { return nil }
        var isReadableByOthers = false
        if let problem = PEMFile.problemWithKey(at: path, isReadableByOthers: &isReadableByOthers) {
            error(key, "\(path): \(problem.message)")
        }
        if isReadableByOthers { warning(key, "\(path) can be read by other users; chmod 600 it") }
        return path
    }
}
