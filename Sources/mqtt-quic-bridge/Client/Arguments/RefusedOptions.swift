import ArgumentParser

/// The options of mosquitto_pub and mosquitto_sub that these tools cannot have. Each is refused with the reason, because
/// ignoring it would do something else than what was asked for.
struct RefusedOptions: ParsableArguments {
    @Option(name: .customShort("A"), parsing: .unconditional, help: .hidden)
    var bindAddress: String?

    @Option(name: .customLong("capath"), parsing: .unconditional, help: .hidden)
    var caPath: String?

    @Option(parsing: .unconditional, help: .hidden)
    var ciphers: String?

    @Flag(help: .hidden)
    var insecure = false

    @Option(name: .customLong("keyform"), parsing: .unconditional, help: .hidden)
    var keyForm: String?

    @Option(parsing: .unconditional, help: .hidden)
    var tlsEngine: String?

    @Option(name: .customLong("tls-engine-kpass-sha1"), parsing: .unconditional, help: .hidden)
    var tlsEnginePassword: String?

    @Option(parsing: .unconditional, help: .hidden)
    var psk: String?

    @Option(parsing: .unconditional, help: .hidden)
    var pskIdentity: String?

    @Option(parsing: .unconditional, help: .hidden)
    var proxy: String?

    @Option(parsing: .unconditional, help: .hidden)
    var unix: String?

    @Flag(name: .customShort("S"), help: .hidden)
    var usesServiceRecords = false

    /// QUIC has nothing like the algorithm that this option turns off, so there is nothing to do.
    @Flag(name: .customLong("nodelay"), help: .hidden)
    var noDelay = false

    func validate() throws {
        let refusals: [(isGiven: Bool, reason: String)] = [
            (bindAddress != nil, "-A: the client leaves the choice of the local address to the system's routes"),
            (caPath != nil, "--capath: a folder of CA certificates is not read; put them into one file for --cafile"),
            (
                ciphers != nil,
                "--ciphers: TLS 1.3, which QUIC uses, has only strong ciphers, and none can be left out here"
            ),
            (
                insecure,
                "--insecure: the broker's certificate is always verified; name its CA with --cafile, and its name with "
                    + "--server-name if that is not the host"
            ),
            (keyForm.map { $0 != "pem" } ?? false, "--keyform: keys are read from PEM files only"),
            (tlsEngine != nil || tlsEnginePassword != nil, "--tls-engine: keys are read from PEM files only"),
            (
                psk != nil || pskIdentity != nil,
                "--psk: the client speaks QUIC with certificates only; use --cafile, and --cert and --key"
            ),
            (proxy != nil, "--proxy: a SOCKS proxy for TCP does not carry QUIC, which is UDP"),
            (
                unix != nil,
                "--unix: QUIC is UDP, which needs a host and a port; use mosquitto_pub or mosquitto_sub there"
            ),
            (usesServiceRecords, "-S: SRV records are not looked up; name the host with -h"),
        ]
        if let refusal = refusals.first(where: \.isGiven) { throw ValidationError(refusal.reason) }
    }
}
