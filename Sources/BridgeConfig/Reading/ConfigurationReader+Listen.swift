import BridgeCore

extension ConfigurationReader {
    private static let maximumListeners = 64
    /// The keys of an item of `listen`.
    static let listenerKeys = ["address", "name"]

    /// The listeners for devices. Each may have a name.
    func listeners() -> [ListenAddress] {
        listeners(.listen, .tcp) { items in
            items.enumerated().compactMap { index, item in
                guard case .map = item.content else { return plainListener(item, .listen, .tcp) }
                return listener(item, "listen[\(index)]")
            }
        } ?? [ListenAddress(host: "127.0.0.1", port: 1_883)]
    }

    /// The listeners of `serve`. They have no names, because `serve` has no `${listener}`.
    func serveListeners() -> [ListenAddress]? {
        listeners(.serveListen, .udp) { items in
            items.compactMap { plainListener($0, .serveListen, .udp) }
        }
    }

    private typealias Placed = (address: ListenAddress, origin: Origin)

    /// `nil` if the key is not given. `read` reads the items of the file; an environment variable can only hold addresses.
    private func listeners(
        _ key: Key, _ transport: ListenValue.Transport, read: ([YAMLNode]) -> [Placed]
    ) -> [ListenAddress]? {
        let written: Int
        let placed: [Placed]
        if settings.scalars[key] != nil {
            let words = words(key) ?? []
            written = words.count
            placed = words.compactMap { address($0, key, transport, name: nil) }
        } else if let node = settings.nodes[key] {
            let items = items(of: node)
            written = items.count
            placed = read(items)
        } else {
            return nil
        }
        if written == 0 { error(key, "is empty; give at least one address, such as 127.0.0.1:\(transport.port)") }
        if written > Self.maximumListeners { error(key, "more than \(Self.maximumListeners) addresses") }
        checkRepetitions(placed, key)
        return placed.map(\.address)
    }

    private func plainListener(_ node: YAMLNode, _ key: Key, _ transport: ListenValue.Transport) -> Placed? {
        scalar(node, key.rawValue).flatMap { address($0, key, transport, name: nil) }
    }

    /// `{address: "0.0.0.0:1883", name: hall}`.
    private func listener(_ node: YAMLNode, _ path: String) -> Placed? {
        guard let entries = entries(of: node, path, known: Self.listenerKeys) else { return nil }
        let nameSetting = entries["name"].flatMap { scalar($0, "\(path).name") }
        let name = nameSetting.flatMap { listenerName($0, "\(path).name") }
        guard let value = entries["address"] else {
            diagnostics.error(node.origin, path, "address is missing, such as 127.0.0.1:1883")
            return nil
        }
        return scalar(value, "\(path).address").flatMap { address($0, .listen, .tcp, name: name) }
    }

    /// A listener's name is the value of `${listener}` in topics.
    private func listenerName(_ setting: Setting, _ path: String) -> String? {
        guard let name = values.text(setting, path) else { return nil }
        guard !name.contains(where: { "/+#".contains($0) }) else {
            let reason = "because it can become part of a topic"
            diagnostics.error(setting.origin, path, "a name must not contain / + or #, \(reason)")
            return nil
        }
        return name
    }

    private func address(
        _ setting: Setting, _ key: Key, _ transport: ListenValue.Transport, name: String?
    ) -> Placed? {
        do {
            return (try ListenValue.parse(setting.text, name: name, transport: transport), setting.origin)
        } catch {
            diagnostics.error(setting.origin, key.rawValue, "\(values.quoted(setting.text)): \(error.message)")
            return nil
        }
    }

    /// Reports addresses that exclude each other: only one listener can have an address and port, and a wildcard listener
    /// takes the port on all addresses of its family.
    private func checkRepetitions(_ listeners: [Placed], _ key: Key) {
        for (index, (address, origin)) in listeners.enumerated() {
            guard let other = listeners[..<index].first(where: { $0.address.excludes(address) }) else { continue }
            let place = ListenAddress(host: address.host, port: address.port).name
            let rival = ListenAddress(host: other.address.host, port: other.address.port).name
            let isWide = other.address.isWildcard || address.isWildcard
            guard isWide, place != rival else {
                let same = place == rival ? "" : ", as it is the same as \(rival)"
                diagnostics.error(origin, key.rawValue, "\(place) is given twice\(same)")
                continue
            }
            let (wide, narrow) = other.address.isWildcard ? (rival, place) : (place, rival)
            let family = address.host.contains(":") && other.address.host.contains(":") ? "IPv6" : "IPv4"
            diagnostics.error(
                origin, key.rawValue,
                "\(wide) is every \(family) address with that port, \(narrow) included (\(other.origin)); keep one of the two"
            )
        }
    }
}
