import NIOCore
import NIOSSL
import QUICTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What all TLS connections to one server have in common: the trusted authorities and the client certificate, read once.
///
/// The rules are the same as for QUIC: only TLS 1.3, only the given authorities, a check of the whole chain and of the
/// name, and the client certificate if there is one.
package struct TLSClientContext: Sendable {
    package let settings: TLSClientSettings
    package let words: TLSWords
    private let context: NIOSSLContext

    /// Reads the files. Throws ``QUICError/fileUnreadable(path:why:)``, as reading them for QUIC does.
    package init(_ settings: TLSClientSettings) throws {
        self.settings = settings
        self.words = TLSWords(settings)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        tls.certificateVerification = .fullVerification
        tls.trustRoots = .certificates(try Self.authorities(settings))
        tls.applicationProtocols = settings.alpn
        if let chain = settings.certificateFile, let key = settings.keyFile {
            tls.certificateChain = try Self.read(chain, .certificates, settings, NIOSSLCertificate.fromPEMBytes).map {
                .certificate($0)
            }
            tls.privateKey = .privateKey(
                try Self.read(key, .key, settings) { try NIOSSLPrivateKey(bytes: $0, format: .pem) })
        }
        tls.keyLogCallback = settings.keyLogFile.map(Self.keyLog)
        do {
            self.context = try NIOSSLContext(configuration: tls)
        } catch {
            // GnuTLS, which has accepted the same files for QUIC, is less strict with some kinds of them.
            throw QUICError.fileUnreadable(
                path: settings.certificateFile ?? settings.trustName,
                why: "the library for TLS over TCP, by which \(settings.purpose) goes, does not take it (BoringSSL: "
                    + "\(error))")
        }
    }

    /// Makes the handler of one connection. An IP address cannot be sent as SNI: the handler then checks the
    /// certificate against the address that the connection really has.
    func makeHandler() throws -> NIOSSLClientHandler {
        let name = settings.certificateName
        guard (try? SocketAddress(ipAddress: name, port: 0)) != nil else {
            return try NIOSSLClientHandler(context: context, serverHostname: name)
        }
        guard name == CertificateName.of(settings.host) else {
            throw TLSFailure(
                .other, "the name '\(name)' of the fallback is an IP address, but not the one of its host: give a name")
        }
        return try NIOSSLClientHandler(context: context, serverHostname: nil)
    }

    private static func authorities(_ settings: TLSClientSettings) throws -> [NIOSSLCertificate] {
        switch settings.trust {
        case .file(let path):
            return try read(path, .certificates, settings, NIOSSLCertificate.fromPEMBytes)
        case .pem(let bytes, let name):
            return try parse(bytes, name, .certificates, settings, NIOSSLCertificate.fromPEMBytes)
        }
    }

    private enum Content {
        case certificates
        case key
    }

    /// GnuTLS has read the file for QUIC before, so it exists and is complete.
    private static func read<Value>(
        _ path: String, _ content: Content, _ settings: TLSClientSettings, _ body: ([UInt8]) throws -> Value
    ) throws -> Value {
        guard let bytes = contents(path) else { throw QUICError.fileUnreadable(path: path, why: "cannot be read") }
        return try parse(bytes, path, content, settings, body)
    }

    private static func parse<Value>(
        _ bytes: [UInt8], _ path: String, _ content: Content, _ settings: TLSClientSettings,
        _ body: ([UInt8]) throws -> Value
    ) throws -> Value {
        do {
            return try body(PEMText.plain(bytes))
        } catch {
            let library = "the library for TLS over TCP, by which \(settings.purpose) goes, does not"
            let why =
                switch content {
                case .certificates: "\(library) take these certificates (BoringSSL: \(error))"
                case .key: "\(library) know this kind of key: use one of RSA or EC, or leave \(settings.purpose) out"
                }
            throw QUICError.fileUnreadable(path: path, why: why)
        }
    }

    /// At most 4 MiB; `nil` if the file cannot be read. A bundle of all public CAs has about 220 KB.
    package static func contents(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 4 << 20 {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return ferror(file) == 0 ? bytes : nil }
            bytes += chunk.prefix(count)
        }
        return bytes
    }

    /// Writes the secrets in the format that Wireshark reads.
    private static func keyLog(_ path: String) -> NIOSSLKeyLogCallback {
        let lock = Mutex(())
        return { line in
            lock.withLock { _ in
                let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
                guard file >= 0 else { return }
                _ = line.withUnsafeReadableBytes { write(file, $0.baseAddress, $0.count) }
                closeFile(file)
            }
        }
    }
}

private func closeFile(_ file: Int32) {
    _ = close(file)
}
