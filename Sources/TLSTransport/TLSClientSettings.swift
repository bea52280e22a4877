/// What decides how TLS connections to one server are made.
package struct TLSClientSettings: Sendable, Equatable {
    /// PEM certificates, to one of which the server's chain must lead, and what to call them in messages.
    package enum Trust: Sendable, Equatable {
        case file(String)
        case pem([UInt8], name: String)
    }

    /// A host name or an IP address.
    package var host: String
    package var port: Int
    /// The name that the server's certificate must have.
    package var certificateName: String
    package var trust: Trust
    /// The PEM file of the client's chain. Requires ``keyFile``, and vice versa.
    package var certificateFile: String?
    package var keyFile: String?
    /// The protocols that are offered (RFC 7301).
    package var alpn: [String]
    /// TLS secrets are appended to this file. Whoever can read it can read the traffic.
    package var keyLogFile: String?
    /// What the connections are for, for messages about files that GnuTLS has taken and BoringSSL does not.
    package var purpose: String

    package init(
        host: String, port: Int, certificateName: String, trust: Trust, certificateFile: String? = nil,
        keyFile: String? = nil, alpn: [String], keyLogFile: String? = nil, purpose: String
    ) {
        self.host = host
        self.port = port
        self.certificateName = certificateName
        self.trust = trust
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.alpn = alpn
        self.keyLogFile = keyLogFile
        self.purpose = purpose
    }

    /// What messages call the authorities.
    var trustName: String {
        switch trust {
        case .file(let path): path
        case .pem(_, let name): name
        }
    }
}
