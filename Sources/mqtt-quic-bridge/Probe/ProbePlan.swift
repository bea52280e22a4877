import BridgeConfig
import BridgeCore
import BrokerProbe

/// What `probe` does: the command line, the environment and `.env` together.
///
/// The first of them that has a value wins. A source that names another host has been written for that one, so nothing is
/// taken from it: a password must not go to a server that it is not for.
struct ProbePlan {
    /// Why the command line cannot be followed.
    struct Problem: Error, Equatable, CustomStringConvertible {
        var description: String
        /// Whether a file is the reason, rather than the command line.
        var isFile = false
    }

    /// Where TESAIoT has MQTT over TLS.
    static let defaultFallbackPort = 8884

    private(set) var options: ProbeOptions
    /// What a person should know about the choice.
    private(set) var notes: [String] = []
    /// What a person should mend.
    private(set) var warnings: [String] = []
    private let group: ProbeOptionGroup
    private let sources: [DeviceSettings]

    /// - Parameters:
    ///   - sources: The environment and `.env`, in this order.
    ///   - systemCA: The file with the system's CA certificates; `nil` if there is none.
    init(_ group: ProbeOptionGroup, _ sources: [DeviceSettings], systemCA: String?) throws(Problem) {
        self.group = group
        let (host, port) = try Self.endpoint(group, sources)
        (self.sources, notes) = sources.meant(for: host)
        guard let caFile = group.certificates.caFile ?? self.sources.lazy.compactMap(\.caFile).first ?? systemCA else {
            throw Problem(
                description: "this machine has no file of CA certificates: give the broker's with --cafile")
        }
        options = ProbeOptions(
            host: host, port: port ?? self.sources.lazy.compactMap(\.port).first ?? 14567, caFile: caFile)
        try setTrust()
        try setIdentity()
        try setExtent()
    }

    private static func endpoint(
        _ group: ProbeOptionGroup, _ sources: [DeviceSettings]
    ) throws(Problem) -> (host: String, port: Int?) {
        guard let text = group.endpoint else {
            guard let host = sources.lazy.compactMap(\.host).first else {
                throw Problem(description: "say which broker to probe: probe HOST or probe HOST:PORT")
            }
            return (host, nil)
        }
        do {
            return try EndpointText.parse(text)
        } catch {
            throw Problem(description: "\(text.quotedForMessage()): \(error)")
        }
    }

    private mutating func setTrust() throws(Problem) {
        guard (group.certificates.certificateFile == nil) == (group.certificates.keyFile == nil) else {
            throw Problem(description: "--cert and --key go together: the certificate and its private key")
        }
        (options.clientCertificateFile, options.clientKeyFile) = (
            group.certificates.certificateFile, group.certificates.keyFile
        )
        if let name = group.certificates.serverName {
            if let problem = EndpointText.problem(withHost: name) {
                throw Problem(description: "--server-name: \(problem)")
            }
            options.serverName = name
        }
        guard let alpn = group.alpn else { return }
        options.alpn = alpn.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard options.alpn.count <= 8, options.alpn.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
            throw Problem(description: "--alpn: give 1 to 8 names of 1 to 255 bytes (RFC 7301), separated by commas")
        }
    }

    private mutating func setIdentity() throws(Problem) {
        let given = ClientCredentials(
            username: try value(
                group.credentials.username, file: group.credentials.usernameFile, "-u", "--username-file"),
            password: try value(group.credentials.password, file: group.credentials.passwordFile, "-P", "--pw-file"))
        let chosen = ClientCredentials(levels: [given] + sources.map(\.credentials))
        options.identity = .init(
            clientID: group.clientID, username: chosen.username, password: chosen.password.map { Array($0.utf8) })
        for (text, what) in [(options.identity.username, "user name"), (group.clientID, "client id")] {
            guard let text else { continue }
            guard !text.utf8.contains(0), text.utf8.count <= Int(UInt16.max) else {
                throw Problem(description: "the \(what) must have at most 65535 bytes and no U+0000, as MQTT requires")
            }
        }
        guard options.identity.password?.count ?? 0 <= Int(UInt16.max) else {
            throw Problem(description: "the password is longer than 65535 bytes, the most that MQTT allows")
        }
    }

    /// A value of the command line or of the file that it names.
    private mutating func value(
        _ value: String?, file: String?, _ option: String, _ fileOption: String
    ) throws(Problem) -> String? {
        guard let file else { return value }
        guard value == nil else {
            throw Problem(description: "\(option) and \(fileOption) exclude each other: keep one")
        }
        do {
            let line = try FirstLine.read(file)
            if fileOption == "--pw-file", let warning = line.warning(at: file) { warnings.append(warning) }
            return line.text
        } catch {
            throw Problem(description: "\(fileOption) \(file): \(error)", isFile: true)
        }
    }

    private mutating func setExtent() throws(Problem) {
        guard (1...60).contains(group.timeout) else {
            throw Problem(description: "--timeout: \(group.timeout) is not a number of seconds from 1 to 60")
        }
        guard (0...ProbeOptions.maximumConnections).contains(group.connections) else {
            throw Problem(
                description:
                    "--connections: \(group.connections) is not a number from 0 to \(ProbeOptions.maximumConnections)")
        }
        guard (0...65_535).contains(group.fallbackPort ?? 0) else {
            throw Problem(description: "--fallback-port: \(group.fallbackPort ?? 0) is not a TCP port, 1 to 65535")
        }
        guard !(group.onlyIPv4 && group.onlyIPv6) else {
            throw Problem(description: "-4 and -6 exclude each other: leave both out for all addresses")
        }
        options.timeout = .milliseconds(Int64(group.timeout * 1_000))
        options.connections = group.connections
        options.isGentle = group.gentle
        options.addressFamily = group.onlyIPv4 ? .ipv4 : group.onlyIPv6 ? .ipv6 : nil
        switch group.fallbackPort {
        case 0?: options.fallbackPort = nil
        case let port?: (options.fallbackPort, options.isFallbackRequired) = (port, true)
        case nil: options.fallbackPort = group.gentle ? nil : Self.defaultFallbackPort
        }
    }
}
