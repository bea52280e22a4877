import BridgeCore
import Foundation
import QUICTransport

/// The files that a configuration names for certificates, keys and users: says what is wrong with them under the names of
/// their keys, and what is not right although it works.
struct CredentialFiles {
    struct File {
        var key: String
        var path: String
        var kind: Kind
    }

    enum Kind {
        /// Trusted; not all of them have to be valid.
        case authorities
        /// Our own certificate, with its chain behind it.
        case chain
        case key
        /// A users file. Nobody can log in while it is empty, unless devices without a user name may.
        case users(allowsAnonymous: Bool)
        case other
    }

    private let files: [File]

    init(_ configuration: BridgeConfiguration) {
        let (uplink, auth) = (configuration.uplink, configuration.auth)
        files = Self.files([
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

    private static func files(_ all: [(key: String, path: String?, kind: Kind)]) -> [File] {
        all.compactMap { key, path, kind in path.map { File(key: key, path: $0, kind: kind) } }
    }

    // MARK: - Errors

    /// Runs `body`, which reads the files, and throws ``UnusableFile`` for the one that it fails at.
    func explaining<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch QUICError.fileUnreadable(let path, let why) {
            throw unusable(path, why)
        } catch let error as LocalUsersError {
            throw unusable(error.path, error.message)
        } catch let error as TicketKeyError {
            throw unusable(error.path, error.reason)
        }
    }

    /// What the file is says more than what a parser stumbled over.
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

    /// `nil` where it cannot be read. Bundles of all public CAs are about 220 KB.
    static func contents(_ path: String) -> [UInt8]? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: 4 << 20)).map { Array($0) }
    }

    // MARK: - Warnings

    /// What an operator should know about the files as they are now. Files that cannot be read have no warnings.
    var warnings: [String] { warnings(at: Int64(Date().timeIntervalSince1970)) }

    /// - Parameter now: seconds since 1970.
    func warnings(at now: Int64) -> [String] {
        files.flatMap { file -> [String] in
            let chain = certificates(of: file)
            let problems =
                switch file.kind {
                case .chain:
                    [CertificateChain.problem(with: chain)].compactMap { $0 } + chain.compactMap { time(of: $0, now) }
                // A bundle may well have old ones among others.
                case .authorities:
                    chain.allSatisfy { $0.time(at: now) == .expired } ? chain.compactMap { time(of: $0, now) } : []
                case .key, .users, .other: [String]()
                }
            return problems.map { "\(file.key): \(file.path): \($0)" }
        }
    }

    /// Warnings about users files that let nobody in.
    var usersWarnings: [String] {
        files.compactMap { file in
            guard case .users(allowsAnonymous: false) = file.kind, let users = try? LocalUsers.read(file.path),
                users.count == 0
            else { return nil }
            return
                "\(file.key): \(file.path): has no users, so no device can log in; add them with mosquitto_passwd, or let "
                + "devices without a user name in (auth.anonymous: true)"
        }
    }

    /// What only somebody who looks into a configuration wants to hear, as it is right more often than not.
    var notes: [String] {
        files.compactMap { file in
            guard case .chain = file.kind,
                let issuer = CertificateChain.issuerThatMayBeMissing(in: certificates(of: file))
            else { return nil }
            return
                "\(file.key): \(file.path): has no certificate of its issuer '\(issuer)'; where that is an intermediate "
                + "CA, and not the root that the other side trusts, append it (of certbot's files fullchain.pem has it)"
        }
    }

    private func certificates(of file: File) -> [CertificateOutline] {
        switch file.kind {
        case .key, .users, .other: return []
        case .authorities, .chain: break
        }
        return ((try? QUICCertificate.all(inFile: file.path)) ?? []).map {
            CertificateOutline(
                subject: $0.subject, issuer: $0.issuer, notBefore: $0.notBefore, notAfter: $0.notAfter)
        }
    }

    private func time(of certificate: CertificateOutline, _ now: Int64) -> String? {
        let name = "the certificate '\(certificate.subject)'"
        return switch certificate.time(at: now) {
        case nil: nil
        case .expired?:
            "\(name) expired on \(UTCTime(certificate.notAfter)), and nobody accepts it any more: renew it"
        case .notYetValid?:
            "\(name) is not valid before \(UTCTime(certificate.notBefore)), and nobody accepts it until then: is this "
                + "machine's clock right?"
        case .expiresSoon(let days)?:
            "\(name) expires on \(UTCTime(certificate.notAfter)), in \(days == 1 ? "1 day" : "\(days) days"): renew it"
        }
    }
}
