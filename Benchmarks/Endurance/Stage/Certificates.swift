import BenchmarkSuite
import Foundation

/// A CA, and certificates of `serve` that it signs.
struct Certificates {
    let folder: String

    var authority: String { "\(folder)/ca.pem" }
    var certificate: String { "\(folder)/server.pem" }
    var key: String { "\(folder)/server.key" }

    /// - Throws: `SuiteError` if `openssl` fails.
    init(in folder: String) throws {
        self.folder = folder
        try request(["-subj", "/CN=endure CA"], named: "ca")
        try renew()
    }

    /// Makes a new certificate and key in place of the present ones.
    func renew() throws {
        try request(
            [
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", authority, "-CAkey", "\(folder)/ca.key",
            ], named: "new")
        for (new, old) in [("new.key", key), ("new.pem", certificate)] where rename("\(folder)/\(new)", old) != 0 {
            throw SuiteError("\(old) cannot be replaced: \(String(cString: strerror(errno)))")
        }
    }

    private func request(_ arguments: [String], named name: String) throws {
        let command =
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "30", "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem",
            ] + arguments
        let process = try ChildProcess("openssl", command, log: "\(folder)/openssl.log")
        process.wait()
        if let failure = process.failure { throw failure }
    }
}
