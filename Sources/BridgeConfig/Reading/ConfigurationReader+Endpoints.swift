import BridgeCore

/// Reads where the broker is: `uplink.host`, or `uplink.endpoints` instead of it, and `uplink.fallback`.
extension ConfigurationReader {
    private static let maximumEndpoints = 8
    /// The keys of an item of `uplink.endpoints`.
    static let endpointKeys = ["host", "port", "server_name"]

    /// An endpoint with the key paths and places of its host and its port, for messages.
    struct PlacedEndpoint {
        var endpoint: UplinkEndpoint
        var host: (path: String, origin: Origin)
        var port: (path: String, origin: Origin)
    }

    /// Never empty: if no endpoint is valid, which is reported, the result is one endpoint without a host.
    func endpoints() -> [PlacedEndpoint] {
        let placed = listedEndpoints() ?? [onlyEndpoint()]
        for item in placed { warnOfPortOfTCP(item) }
        guard placed.isEmpty else { return placed }
        let place = (Key.uplinkEndpoints.rawValue, settings.placeOfMissing(.uplinkEndpoints))
        return [PlacedEndpoint(endpoint: UplinkEndpoint(host: ""), host: place, port: place)]
    }

    // MARK: - One

    private func onlyEndpoint() -> PlacedEndpoint {
        let port = integer(.uplinkPort, in: 1...65_535, "a UDP port")
        var endpoint = UplinkEndpoint(host: uplinkHost(), serverName: host(.uplinkServerName))
        endpoint.port = port ?? endpoint.port
        func place(_ key: Key) -> (String, Origin) {
            (key.rawValue, settings.origin(of: key) ?? settings.placeOfMissing(key))
        }
        return PlacedEndpoint(endpoint: endpoint, host: place(.uplinkHost), port: place(.uplinkPort))
    }

    private func uplinkHost() -> String {
        guard settings.scalars[.uplinkHost] != nil else {
            let isForServe = settings.sections["serve"] != nil && settings.sections["uplink"] == nil
            let file = isForServe ? "; with a section \"serve:\" only, this file is for the command serve" : ""
            missing(.uplinkHost, "the broker's host name, such as mqtt.tesaiot.com\(file)")
            return ""
        }
        return host(.uplinkHost) ?? ""
    }

    // MARK: - Several

    private func listedEndpoints() -> [PlacedEndpoint]? {
        let key = Key.uplinkEndpoints
        let written: Int
        let placed: [PlacedEndpoint]
        if settings.scalars[key] != nil {
            let words = words(key) ?? []
            written = words.count
            placed = words.compactMap { endpoint(inOneWord: $0, key.rawValue) }
        } else if let node = settings.nodes[key] {
            let items = items(of: node)
            written = items.count
            placed = items.enumerated().compactMap { index, item in endpoint(of: item, "\(key.rawValue)[\(index)]") }
        } else {
            return nil
        }
        if written == 0 { error(key, "is empty; give at least one, such as {host: mqtt.example.com}") }
        if written > Self.maximumEndpoints { error(key, "\(written) endpoints; the most is \(Self.maximumEndpoints)") }
        checkRepetitions(placed)
        return placed
    }

    /// An item of the list in the file: a map, or `host:port`.
    private func endpoint(of node: YAMLNode, _ path: String) -> PlacedEndpoint? {
        if case .scalar = node.content { return scalar(node, path).flatMap { endpoint(inOneWord: $0, path) } }
        guard let entries = entries(of: node, path, known: Self.endpointKeys) else { return nil }
        func setting(_ name: String) -> Setting? { entries[name].flatMap { scalar($0, "\(path).\(name)") } }
        let portSetting = setting("port")
        let port = portSetting.flatMap { values.integer($0, "\(path).port", in: 1...65_535, "a UDP port") }
        let serverName = setting("server_name").flatMap { hostName($0, "\(path).server_name") }
        guard entries["host"] != nil else {
            diagnostics.error(node.origin, path, "host is missing, such as mqtt.example.com")
            return nil
        }
        guard let setting = setting("host"), let host = hostName(setting, "\(path).host") else { return nil }
        var result = UplinkEndpoint(host: host, serverName: serverName)
        result.port = port ?? result.port
        return PlacedEndpoint(
            endpoint: result, host: (path, node.origin),
            port: portSetting.map { ("\(path).port", $0.origin) } ?? (path, node.origin))
    }

    /// An endpoint that is written as `host:port`.
    private func endpoint(inOneWord setting: Setting, _ path: String) -> PlacedEndpoint? {
        do {
            let endpoint = try EndpointValue.parse(setting.text)
            let place = (path, setting.origin)
            return PlacedEndpoint(endpoint: endpoint, host: place, port: place)
        } catch {
            diagnostics.error(setting.origin, path, "\(values.quoted(setting.text)): \(error.message)")
            return nil
        }
    }

    private func checkRepetitions(_ placed: [PlacedEndpoint]) {
        var seen: Set<UplinkEndpoint> = []
        for item in placed {
            let place = UplinkEndpoint(host: item.endpoint.host.lowercased(), port: item.endpoint.port)
            if seen.insert(place).inserted { continue }
            let message = "\(item.endpoint.host), port \(place.port), is given twice"
            diagnostics.error(item.host.origin, item.host.path, message)
        }
    }

    // MARK: - Fallback

    /// - Parameter first: The preferred endpoint. If the fallback has no host of its own, it takes this endpoint's host, and
    ///   its server name as well.
    func fallback(of first: UplinkEndpoint, _ mapping: Mapping) -> UplinkFallback? {
        let keys = Key.allCases.filter { $0.section == "uplink.fallback" && settings.origin(of: $0) != nil }
        guard settings.sections["uplink.fallback"] != nil || !keys.isEmpty else { return nil }
        if settings.scalars[.uplinkFallbackPort]?.text == "off" { return fallbackOff(keys) }
        if mapping == .dataStream, mappingIsReadable { refuseFallback() }
        let ownHost = host(.uplinkFallbackHost)
        let serverName = host(.uplinkFallbackServerName)
        let after = duration(.uplinkFallbackAfter, in: .seconds(1)...(.seconds(10)))
        let port = integer(.uplinkFallbackPort, in: 1...65_535, "a TCP port")
        if settings.scalars[.uplinkFallbackPort] == nil {
            missing(.uplinkFallbackPort, "the TCP port at which the broker takes MQTT over TLS: TESAIoT's is 8884")
        }
        port.map(warnOfPortOfFallback)
        var fallback = UplinkFallback(
            host: ownHost ?? first.host, port: port ?? 0,
            serverName: serverName ?? (settings.scalars[.uplinkFallbackHost] == nil ? first.serverName : nil))
        fallback.after = after ?? fallback.after
        checkServerName(of: fallback)
        return fallback
    }

    /// `port: off` does without the fallback of a profile.
    private func fallbackOff(_ keys: [Key]) -> UplinkFallback? {
        for key in keys where key != .uplinkFallbackPort {
            warning(key, "has no effect, as the fallback's port is off")
        }
        return nil
    }

    /// An IP address cannot be sent as SNI (RFC 6066 3), and TLS then compares the certificate with the address that the
    /// connection really has.
    private func checkServerName(of fallback: UplinkFallback) {
        guard let name = fallback.serverName, name != fallback.host else { return }
        guard HostValue.isIPv4(name) || HostValue.isIPv6(name) else { return }
        let key =
            settings.scalars[.uplinkFallbackServerName] == nil ? Key.uplinkFallbackPort : .uplinkFallbackServerName
        error(
            key,
            "the certificate of the fallback would have to name \(name), which is an IP address other than the host's; set server_name to a host name"
        )
    }

    private func refuseFallback() {
        let origin = settings.sections["uplink.fallback"] ?? settings.placeOfMissing(.uplinkFallbackPort)
        let reason = "there devices are data streams of one QUIC connection, and TLS over TCP has no streams"
        let advice = "remove this, or write mapping: connection"
        diagnostics.error(origin, "uplink.fallback", "cannot be used with mapping data-stream: \(reason); \(advice)")
    }

    // MARK: - Checks

    /// Ports that brokers use for MQTT over TCP, and never for MQTT over QUIC.
    private static let portsOfTCP = [1_883, 8_883, 8_884, 8_083, 8_084]

    private func warnOfPortOfTCP(_ item: PlacedEndpoint) {
        let port = item.endpoint.port
        guard Self.portsOfTCP.contains(port) else { return }
        let message = "\(port) is usually a TCP port; MQTT over QUIC is usually at UDP 14567"
        diagnostics.warning(item.port.origin, item.port.path, message)
    }

    private func warnOfPortOfFallback(_ port: Int) {
        if port == 14_567 {
            warning(
                .uplinkFallbackPort, "14567 is usually the UDP port of MQTT over QUIC; the fallback is TLS over TCP")
        } else if port == 1_883 {
            warning(.uplinkFallbackPort, "1883 is usually plain MQTT; the fallback is always TLS")
        }
    }

    func checkAddressFamily(_ family: UplinkConfiguration.AddressFamily, of placed: [PlacedEndpoint]) {
        for item in placed { checkAddressFamily(family, of: item.endpoint.host, item.host.path) }
        if let host = settings.scalars[.uplinkFallbackHost]?.text {
            checkAddressFamily(family, of: host, Key.uplinkFallbackHost.rawValue)
        }
    }

    private func checkAddressFamily(_ family: UplinkConfiguration.AddressFamily, of host: String, _ key: String) {
        let isIPv4 = HostValue.isIPv4(host)
        let isIPv6 = HostValue.isIPv6(host)
        if (isIPv4 && family == .ipv6) || (isIPv6 && family == .ipv4) {
            let other = isIPv4 ? "ipv4" : "ipv6"
            error(.uplinkAddressFamily, "\(key) is an \(isIPv4 ? "IPv4" : "IPv6") address; write \(other) or any")
        }
    }

    /// A host name or an IP address in an item of a list; reports an invalid one and returns `nil`.
    private func hostName(_ setting: Setting, _ path: String) -> String? {
        guard let host = values.text(setting, path) else { return nil }
        guard let problem = HostValue.problem(with: host) else { return host }
        diagnostics.error(setting.origin, path, problem)
        return nil
    }
}
