import BridgeCore
import NIOCore
import NIOSSL
import QUICTransport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What all TLS connections to the fallback have in common: the trusted authorities and the client certificate, read
/// once at the start.
///
/// The rules are the same as for QUIC: only TLS 1.3, only the authorities in `uplink.ca`, a check of the whole chain
/// and of the name, and the client certificate if there is one.
struct TLSUplinkContext: Sendable {
    let fallback: UplinkFallback
    let words: TLSUplinkWords
    private let context: NIOSSLContext

    /// Reads the files. Throws ``QUICError/fileUnreadable(path:why:)``, as reading them for QUIC does.
    init(_ fallback: UplinkFallback, _ uplink: UplinkConfiguration) throws {
        self.fallback = fallback
        self.words = TLSUplinkWords(fallback, uplink)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        tls.certificateVerification = .fullVerification
        tls.trustRoots = .certificates(try Self.read(uplink.caFile, .certificates, NIOSSLCertificate.fromPEMBytes))
        tls.applicationProtocols = [UplinkConfiguration.Mapping.singleStreamProtocol]
        if let chain = uplink.clientCertificateFile, let key = uplink.clientKeyFile {
            tls.certificateChain = try Self.read(chain, .certificates, NIOSSLCertificate.fromPEMBytes).map {
                .certificate($0)
            }
            tls.privateKey = .privateKey(try Self.read(key, .key) { try NIOSSLPrivateKey(bytes: $0, format: .pem) })
        }
        tls.keyLogCallback = uplink.tlsKeyLogFile.map(Self.keyLog)
        do {
            self.context = try NIOSSLContext(configuration: tls)
        } catch {
            // GnuTLS, which has accepted the same files for QUIC, is less strict with some kinds of them.
            throw QUICError.fileUnreadable(
                path: uplink.clientCertificateFile ?? uplink.caFile,
                why:
                    "the library for TLS over TCP, by which uplink.fallback goes, does not take it (BoringSSL: \(error))"
            )
        }
    }

    /// Makes the handler of one connection. An IP address cannot be sent as SNI: the handler then checks the
    /// certificate against the address that the connection really has.
    func makeHandler() throws -> NIOSSLClientHandler {
        let name = fallback.certificateName
        guard (try? SocketAddress(ipAddress: name, port: 0)) != nil else {
            return try NIOSSLClientHandler(context: context, serverHostname: name)
        }
        guard name == CertificateName.of(fallback.host) else {
            throw TLSUplinkError(
                .other, "the name '\(name)' of the fallback is an IP address, but not the one of its host: give a name")
        }
        return try NIOSSLClientHandler(context: context, serverHostname: nil)
    }

    private enum Content {
        case certificates
        case key
    }

    /// GnuTLS has read the file for QUIC before, so it exists and is complete.
    private static func read<Value>(
        _ path: String, _ content: Content, _ body: ([UInt8]) throws -> Value
    ) throws -> Value {
        guard let bytes = CredentialFiles.contents(path) else {
            throw QUICError.fileUnreadable(path: path, why: "cannot be read")
        }
        do {
            return try body(CredentialFile.plainText(of: bytes))
        } catch {
            let library = "the library for TLS over TCP, by which uplink.fallback goes, does not"
            let why =
                switch content {
                case .certificates: "\(library) take these certificates (BoringSSL: \(error))"
                case .key: "\(library) know this kind of key: use one of RSA or EC, or leave uplink.fallback out"
                }
            throw QUICError.fileUnreadable(path: path, why: why)
        }
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
