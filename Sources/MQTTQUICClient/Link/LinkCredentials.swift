import QUICTransport
import Synchronization
import TLSTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Certificates and keys for both ways, which all clients of this process that name the same files share: the
/// authorities of a system alone take a megabyte.
final class LinkCredentials: Sendable {
    let quic: QUICTLSContext
    /// `nil` if there is no fallback.
    let tls: TLSClientContext?

    private init(_ key: Key) throws {
        let certificate = key.certificate
        switch key.trust {
        case .file(let path):
            quic = try .client(caFile: path, certificateFile: certificate?.chainFile, keyFile: certificate?.keyFile)
        case .pem(let text):
            quic = try .client(
                caText: text, name: LinkTrust.pemName, certificateFile: certificate?.chainFile,
                keyFile: certificate?.keyFile)
        }
        tls = try key.tls.map { try TLSClientContext($0) }
    }

    // MARK: - Sharing

    /// What two clients have in common if they can share.
    private struct Key: Sendable, Equatable {
        var trust: LinkTrust
        var certificate: MQTTClientConfiguration.TLS.ClientCertificate?
        var tls: TLSClientSettings?
        /// What shows that a file has been replaced.
        var stamps: [Stamp]
    }

    private struct Stamp: Sendable, Equatable {
        var file: UInt64
        var size: Int
        var seconds: Int
        var nanoseconds: Int

        /// `nil` if there is no such file.
        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            file = UInt64(status.st_ino)
            size = Int(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    private struct Entry: Sendable {
        let key: Key
        weak var credentials: LinkCredentials?
    }

    /// More are not shared: a process seldom has clients of many brokers.
    private static let capacity = 16
    private static let shared = Mutex<[Entry]>([])

    /// Reads the files, unless a client that has read the same ones is still there. Call it on a thread that may wait.
    ///
    /// - Throws: `QUICError.fileUnreadable`, which names the file and what is wrong with it.
    static func load(_ settings: LinkSettings) throws -> LinkCredentials {
        let tls = settings.configuration.tls
        let trust = try LinkTrust(tls.trust)
        var files = [tls.clientCertificate?.chainFile, tls.clientCertificate?.keyFile].compactMap { $0 }
        if case .file(let path) = trust { files.append(path) }
        let key = Key(
            trust: trust, certificate: tls.clientCertificate, tls: settings.tls(trust: trust),
            stamps: files.compactMap { Stamp($0) })
        // Many clients that begin at once wait for the first one, which reads for all.
        return try shared.withLock { entries in
            if let found = entries.lazy.filter({ $0.key == key }).compactMap(\.credentials).first { return found }
            let credentials = try LinkCredentials(key)
            entries.removeAll { $0.credentials == nil }
            if entries.count < capacity { entries.append(Entry(key: key, credentials: credentials)) }
            return credentials
        }
    }
}
