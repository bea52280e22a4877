// Reads `endpoints.json`.
extension BundleDraft {
    mutating func readEndpoints() {
        guard let (root, text) = parsed(.endpoints) else { return }
        for endpoint in EndpointSearch(root).found {
            keep(endpoint, text.origin(of: JSONNode(content: .null, offset: endpoint.node)))
        }
        for path in [["device_id"], ["device", "device_id"], ["device", "id"], ["auth", "username"], ["username"]] {
            var node: JSONNode? = root
            for name in path { node = node?.value(name) }
            if let node, let value = node.scalar, !value.isEmpty {
                keepUsername(value, text.origin(of: node), in: .endpoints)
            }
        }
    }

    private mutating func keep(_ endpoint: EndpointSearch.Endpoint, _ origin: Origin) {
        switch endpoint.use {
        case .quic:
            if let host = endpoint.host { keepHost(host, origin) }
            if let port = endpoint.port { keepPort(port, origin) }
        case .tls: keepFallback(endpoint, origin, needsCertificate: false)
        case .mutualTLS: keepFallback(endpoint, origin, needsCertificate: true)
        case .other: break
        }
    }

    private mutating func keepFallback(
        _ endpoint: EndpointSearch.Endpoint, _ origin: Origin, needsCertificate: Bool
    ) {
        guard let port = endpoint.port.flatMap({ self.port($0, origin) }) else { return }
        var host = endpoint.host == bundle.host?.value ? nil : endpoint.host
        if let given = host, TextValue.isPlaceholder(given) { host = nil }
        if let given = host, let problem = HostValue.problem(with: given) {
            return diagnostics.error(origin, "host", problem)
        }
        let fallback = BundleFallback(host: host, port: port, needsCertificate: needsCertificate)
        guard !bundle.fallbacks.contains(where: { $0.value == fallback }) else { return }
        bundle.fallbacks.append(DeviceBundle.Entry(value: fallback, origin: origin))
    }
}
