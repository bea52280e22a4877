import Foundation

/// The CA certificates that this machine trusts, as one PEM file.
enum SystemTrust {
    /// Debian and its relatives; Fedora and its relatives; SUSE; Alpine.
    static let candidates = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]

    /// `nil` if there is none.
    static var file: String? {
        candidates.first { FileManager.default.isReadableFile(atPath: $0) }
    }
}
