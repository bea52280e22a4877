import BridgeCore
import QUICTransport

/// Digests of the files that a configuration names, by key, so that a reload notices when one was replaced by another of
/// the same name.
struct FileDigests: Sendable, Equatable {
    /// The keys of files that decide how connections to the broker are made.
    static let uplinkKeys: Set<String> = ["uplink.ca", "uplink.client_certificate", "uplink.client_key"]
    static let usersKey = "auth.users_file"
    /// The keys of files that are read only at the start.
    private static let startKeys: Set<String> = ["admin.token_file"]

    private var digests: [String: [UInt8]]

    init(_ configuration: BridgeConfiguration) {
        self.init([
            ("uplink.ca", configuration.uplink.caFile),
            ("uplink.client_certificate", configuration.uplink.clientCertificateFile),
            ("uplink.client_key", configuration.uplink.clientKeyFile), (Self.usersKey, configuration.auth.usersFile),
            ("admin.token_file", configuration.admin.tokenFile),
        ])
    }

    init(_ configuration: ServeConfiguration) {
        self.init([
            ("serve.certificate", configuration.certificateFile), ("serve.key", configuration.keyFile),
            ("serve.client_ca", configuration.clientCAFile), ("serve.ticket_key_file", configuration.ticketKeyFile),
            ("admin.token_file", configuration.admin.tokenFile),
        ])
    }

    private init(_ paths: [(key: String, path: String?)]) {
        var digests: [String: [UInt8]] = [:]
        for (key, path) in paths {
            digests[key] = path.flatMap { CredentialFiles.contents($0, upTo: PasswordFile.maximumSize) }.flatMap {
                SHA256.digest(of: $0)
            }
        }
        self.digests = digests
    }

    /// The same, as far as the files are in use: those that are read only at the start are as they were then.
    func adopted(after previous: FileDigests) -> FileDigests {
        var adopted = self
        for key in Self.startKeys { adopted.digests[key] = previous.digests[key] }
        return adopted
    }

    /// The keys whose files have other contents than before.
    func changes(since previous: FileDigests) -> Set<String> {
        Set(digests.keys).union(previous.digests.keys).filter { digests[$0] != previous.digests[$0] }
    }
}
