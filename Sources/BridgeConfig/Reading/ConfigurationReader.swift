import BridgeCore

/// Makes a configuration from settings, and reports every error in them. Each section is read in a file of its own.
struct ConfigurationReader {
    let settings: Settings
    let diagnostics: Diagnostics
    /// What `threads: auto` stands for.
    let cores: Int
    let values: ValueReader

    init(settings: Settings, diagnostics: Diagnostics, cores: Int) {
        self.settings = settings
        self.diagnostics = diagnostics
        self.cores = cores
        values = ValueReader(diagnostics: diagnostics)
    }

    /// Reads everything but the section `serve`. Throws every error, including those that were found earlier.
    func configuration() throws(ConfigurationErrors) -> BridgeConfiguration {
        let platform = platform()
        let uplink = uplink()
        let limits = limits()
        let listen = listeners()
        let auth = auth(for: uplink.mapping)
        let routes = routes()
        let unrouted = choice(.unrouted) ?? UnroutedPolicy.reject
        checkRoutes(routes, unrouted: unrouted)
        checkPlatform(platform, uplink, auth, routes)
        let log = log()
        let admin = admin(besides: listen)
        let (threads, gatherDelay) = (threads(), gatherDelay())
        try diagnostics.throwIfAny()
        let configuration = BridgeConfiguration(
            listen: listen, uplink: uplink, platform: platform, auth: auth, routes: routes.map(\.route),
            unrouted: unrouted, limits: limits, log: log, admin: admin, threads: threads,
            gatherDelay: gatherDelay)
        warn(of: configuration)
        warnOfPlatform(configuration)
        warnOfRoutes(routes)
        return configuration
    }

    func log() -> LogConfiguration {
        LogConfiguration(
            level: choice(.logLevel) ?? .info, format: choice(.logFormat) ?? .text, repeats: choice(.logRepeats) ?? .sum
        )
    }

    func threads() -> Int {
        guard let setting = settings.scalars[.threads], setting.text != "auto" else { return max(1, min(cores, 256)) }
        let what = "the number of threads, if not \"auto\","
        return values.integer(setting, Key.threads.rawValue, in: 1...256, what) ?? 1
    }

    /// Acknowledgements of QUIC come late by as much, and a peer expects them after a few milliseconds.
    func gatherDelay() -> Duration {
        duration(.gatherDelay, in: .zero...(.milliseconds(5))) ?? .zero
    }

    // MARK: - Single values; nil if the key is not given or its value is invalid, which is reported

    func integer(_ key: Key, in range: ClosedRange<Int>, _ what: String) -> Int? {
        settings.scalars[key].flatMap { values.integer($0, key.rawValue, in: range, what) }
    }

    /// - Parameter word: A word that is allowed instead of a duration.
    func duration(_ key: Key, in range: ClosedRange<Duration>, besides word: String? = nil) -> Duration? {
        settings.scalars[key].flatMap { values.duration($0, key.rawValue, in: range, besides: word) }
    }

    func size(_ key: Key, in range: ClosedRange<Int>) -> Int? {
        settings.scalars[key].flatMap { values.size($0, key.rawValue, in: range) }
    }

    func choice<Choice>(_ key: Key) -> Choice? where Choice: CaseIterable & RawRepresentable<String> {
        settings.scalars[key].flatMap { values.choice($0, key.rawValue) }
    }

    func boolean(_ key: Key) -> Bool? {
        settings.scalars[key].flatMap { values.boolean($0, key.rawValue) }
    }

    func text(_ key: Key) -> String? {
        settings.scalars[key].flatMap { values.text($0, key.rawValue) }
    }

    func path(_ key: Key) -> String? {
        settings.scalars[key].flatMap { values.path($0, key.rawValue) }
    }

    /// A host name or an IP address. An invalid one is reported, but still returned.
    func host(_ key: Key) -> String? {
        guard let host = text(key) else { return nil }
        if let problem = HostValue.problem(with: host) {
            error(key, problem)
        } else if let (address, port, _) = HostValue.splitOffPort(host), ["1883", "8883", "8884"].contains(port) {
            let effect = "as a whole this is the IPv6 address \(host)"
            let advice = "write only \(address) here: the port has its own key"
            warning(key, "\(effect); if \(port) is meant to be a port, \(advice)")
        }
        return host
    }

    func error(_ key: Key, _ message: String) {
        diagnostics.error(settings.origin(of: key) ?? settings.placeOfMissing(key), key.rawValue, message)
    }

    func missing(_ key: Key, _ what: String) {
        guard !settings.isGiven(key) else { return }
        error(key, "is missing (it can also come from \(key.variable)); it is \(what)")
    }

    func warning(_ key: Key, _ message: String) {
        diagnostics.warning(settings.origin(of: key) ?? settings.placeOfMissing(key), key.rawValue, message)
    }
}
