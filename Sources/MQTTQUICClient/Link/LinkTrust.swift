import QUICTransport
import TLSTransport

/// The authorities that the broker's certificate has to lead to, the same over QUIC and over TLS.
enum LinkTrust: Sendable, Equatable {
    case file(String)
    case pem([UInt8])

    /// What messages call certificates that came as text.
    static let pemName = "the given PEM text"

    /// - Throws: `fileUnreadable` if the system has no such file.
    init(_ trust: MQTTClientConfiguration.TLS.Trust, systemFiles: [String] = SystemTrust.files) throws(QUICError) {
        switch trust {
        case .file(let path): self = .file(path)
        case .pem(let text): self = .pem(Array(text.utf8))
        case .system:
            guard let path = SystemTrust.file(of: systemFiles) else {
                throw .fileUnreadable(
                    path: systemFiles.first ?? "",
                    why: "this system has no file of authorities: install the package ca-certificates, or name the "
                        + "broker's CA")
            }
            self = .file(path)
        }
    }

    var forTLS: TLSClientSettings.Trust {
        switch self {
        case .file(let path): .file(path)
        case .pem(let bytes): .pem(bytes, name: Self.pemName)
        }
    }
}
