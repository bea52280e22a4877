/// The name that a server's certificate must have, and that SNI sends, for a host as it is written in a configuration.
package enum CertificateName {
    /// The host without the final dot of an absolute name (RFC 6066 3), and without the zone of a link-local address,
    /// which only has a meaning on one machine (RFC 4007 11.2).
    package static func of(_ host: String) -> String {
        let text = host.contains(":") ? String(host.prefix { $0 != "%" }) : host
        return text.hasSuffix(".") && text.count > 1 ? String(text.dropLast()) : text
    }
}
