#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The authorities that this system trusts, as one PEM file.
package enum SystemTrust {
    /// Debian and its relatives; Fedora and its relatives, in two places; SUSE; Alpine.
    package static let files = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    ]

    /// The first of the files that can be read; `nil` if there is none.
    package static func file(of files: [String] = files) -> String? {
        files.first { access($0, R_OK) == 0 }
    }
}
