import BridgeCore
import FileReading
import Logging
import QUICTransport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The files that a configuration names for certificates, keys and users. Reports what is wrong with them under the
/// configuration key that names them, and what should be changed although it works.
struct CredentialFiles: Sendable {
    struct File: Sendable {
        var key: String
        var path: String
        var kind: Kind
    }

    enum Kind: Sendable {
        /// CAs that are trusted. Not all of them have to be valid.
        case authorities
        /// Our own certificate, followed by its chain.
        case chain
        case key
        /// A users file. While it is empty, no device can log in unless devices without a user name may.
        case users(allowsAnonymous: Bool)
        case other
    }

    let files: [File]
    /// The names that the broker's certificate may have.
    private var brokerNames: [String] = []

    init(_ configuration: BridgeConfiguration) {
        let (uplink, auth) = (configuration.uplink, configuration.auth)
        brokerNames = uplink.endpoints.map(\.certificateName) + (uplink.fallback.map { [$0.certificateName] } ?? [])
        // The first key counts where two name the same file.
        files = Self.files([
            ("uplink.ticket_file", uplink.ticketFile, .other),
            ("uplink.ca", uplink.caFile, .authorities),
            ("uplink.client_certificate", uplink.clientCertificateFile, .chain),
            ("uplink.client_key", uplink.clientKeyFile, .key),
            ("uplink.tls_key_log", uplink.tlsKeyLogFile, .other),
            ("auth.users_file", auth.usersFile, .users(allowsAnonymous: auth.allowsAnonymous)),
        ])
    }

    init(_ configuration: ServeConfiguration) {
        files = Self.files([
            ("serve.certificate", configuration.certificateFile, .chain),
            ("serve.key", configuration.keyFile, .key),
            ("serve.client_ca", configuration.clientCAFile, .authorities),
            ("serve.ticket_key_file", configuration.ticketKeyFile, .other),
        ])
    }

    /// Files of CA certificates that are not used for connections, but come from the same place as something that is.
    init(authorities paths: [String], key: String) {
        files = paths.map { File(key: key, path: $0, kind: .authorities) }
    }

    private static func files(_ all: [(key: String, path: String?, kind: Kind)]) -> [File] {
        all.compactMap { key, path, kind in path.map { File(key: key, path: $0, kind: kind) } }
    }

    // MARK: - Errors

    /// Runs `body`, which reads the files, and throws ``UnusableFile`` for the file that made it fail.
    func explaining<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch QUICError.fileUnreadable(let path, let why) {
            throw unusable(path, why)
        } catch let error as LocalUsersError {
            throw unusable(error.path, error.message)
        } catch let error as UnreadableBundles {
            throw UnusableFile(key: "auth.bundles", path: error.folder, why: error.message)
        } catch let error as TicketKeyError {
            throw unusable(error.path, error.reason)
        }
    }

    /// What kind of file it really is tells the operator more than the parser's error does.
    private func unusable(_ path: String, _ why: String) -> UnusableFile {
        let file = files.first { $0.path == path } ?? File(key: "file", path: path, kind: .other)
        return UnusableFile(key: file.key, path: path, why: Self.problem(with: file) ?? why)
    }

    private static func problem(with file: File) -> String? {
        guard let bytes = contents(file.path) else { return nil }
        return switch file.kind {
        case .authorities, .chain: CredentialFile.problem(withCertificates: bytes, at: file.path)
        case .key: CredentialFile.problem(withKey: bytes, at: file.path)
        case .users, .other: nil
        }
    }

    /// The contents, or `nil` if the file cannot be read. A bundle of all public CAs has about 220 KB.
    static func contents(_ path: String, upTo limit: Int = 4 << 20) -> [UInt8]? {
        try? BoundedFile.read(path, upTo: limit)
    }

    // MARK: - Warnings

    /// What the operator of `run` should look at although it works.
    func logWarnings(_ logger: Logger) {
        for warning in warnings {
            logger.warning("a certificate needs attention", metadata: ["detail": "\(warning)", "leg": "uplink"])
        }
        for warning in usersWarnings {
            logger.warning("the users file needs attention", metadata: ["detail": "\(warning)", "leg": "device"])
        }
    }

    /// What should be changed about the files although they work now. There are no warnings about unreadable files.
    var warnings: [String] { warnings(at: Int64(Date().timeIntervalSince1970)) }

    /// - Parameter now: Seconds since 1970.
    func warnings(at now: Int64) -> [String] {
        files.flatMap { file -> [String] in
            let chain = certificates(of: file)
            var problems: [String] = []
            switch file.kind {
            case .chain:
                if let problem = CertificateChain.problem(with: chain) { problems.append(problem) }
                if file.key == "serve.certificate", let problem = CertificateChain.problem(withServer: chain) {
                    problems.append(problem)
                }
                problems += chain.compactMap { time(of: $0, now) }
            case .authorities:
                // A bundle may well contain some expired certificates.
                if chain.allSatisfy({ $0.time(at: now) == .expired }) {
                    problems += chain.compactMap { time(of: $0, now) }
                }
                if file.key == "uplink.ca",
                    let problem = CertificateChain.problem(withAuthorities: chain, for: brokerNames)
                {
                    problems.append(problem)
                }
            case .key, .users, .other:
                break
            }
            return problems.map { "\(file.key): \(file.path): \($0)" }
        }
    }

    /// Warnings about users files that let no device in.
    var usersWarnings: [String] {
        files.compactMap { file in
            guard case .users(allowsAnonymous: false) = file.kind, let users = try? LocalUsers.read(file.path),
                users.count == 0
            else { return nil }
            return
                "\(file.key): \(file.path): has no users, so no device can log in; add users with mosquitto_passwd, or "
                + "allow devices without a user name (auth.anonymous: true)"
        }
    }

    /// What is worth mentioning only when an operator checks a configuration, because it is usually right.
    var notes: [String] {
        files.compactMap { file in
            guard case .chain = file.kind,
                let issuer = CertificateChain.issuerThatMayBeMissing(in: certificates(of: file))
            else { return nil }
            return
                "\(file.key): \(file.path): does not contain the certificate of its issuer '\(issuer)'; if that is an "
                + "intermediate CA and not the root that the other side trusts, append it (certbot's fullchain.pem "
                + "contains it)"
        }
    }

    func certificates(of file: File) -> [CertificateOutline] {
        switch file.kind {
        case .key, .users, .other: return []
        case .authorities, .chain: break
        }
        return ((try? QUICCertificate.all(inFile: file.path)) ?? []).map {
            CertificateOutline(
                subject: $0.subject, issuer: $0.issuer, notBefore: $0.notBefore, notAfter: $0.notAfter, names: $0.names,
                isAuthority: $0.isAuthority, excludesServers: $0.excludesServers)
        }
    }

    private func time(of certificate: CertificateOutline, _ now: Int64) -> String? {
        let name = "the certificate '\(certificate.subject)'"
        return switch certificate.time(at: now) {
        case nil: nil
        case .expired?:
            "\(name) expired on \(UTCTime(certificate.notAfter)), and no peer accepts it any more: renew it"
        case .notYetValid?:
            "\(name) is not valid before \(UTCTime(certificate.notBefore)), and no peer accepts it until then: is this "
                + "machine's clock right?"
        case .expiresSoon(let days)?:
            "\(name) expires on \(UTCTime(certificate.notAfter)), in \(days == 1 ? "1 day" : "\(days) days"): renew it"
        }
    }
}
