import BridgeCore

extension ConfigurationReader {
    private static let maximumListeners = 64

    func listeners() -> [ListenAddress] {
        let read = settings.scalars[.listen] == nil ? listenersOfFile() : listenersOfVariable()
        guard let read else { return [ListenAddress(host: "127.0.0.1", port: 1_883)] }
        if read.isEmpty, settings.nodes[.listen].map({ items(of: $0).isEmpty }) ?? true {
            error(.listen, "is empty; give at least one address, such as 127.0.0.1:1883")
        }
        if read.count > Self.maximumListeners { error(.listen, "more than \(Self.maximumListeners) addresses") }
        checkRepetitions(read)
        return read.map(\.address)
    }

    private typealias Placed = (address: ListenAddress, origin: Origin)

    private func listenersOfVariable() -> [Placed]? {
        words(.listen)?.compactMap { address($0, name: nil) }
    }

    private func listenersOfFile() -> [Placed]? {
        guard let node = settings.nodes[.listen] else { return nil }
        return items(of: node).enumerated().compactMap { index, item in
            guard case .map = item.content else { return scalar(item, "listen").flatMap { address($0, name: nil) } }
            return listener(item, "listen[\(index)]")
        }
    }

    /// `{address: "0.0.0.0:1883", name: hall}`.
    private func listener(_ node: YAMLNode, _ path: String) -> Placed? {
        guard let entries = entries(of: node, path, known: ["address", "name"]) else { return nil }
        let nameSetting = entries["name"].flatMap { scalar($0, "\(path).name") }
        let name = nameSetting.flatMap { listenerName($0, "\(path).name") }
        guard let value = entries["address"] else {
            diagnostics.error(node.origin, path, "address is missing, such as 127.0.0.1:1883")
            return nil
        }
        return scalar(value, "\(path).address").flatMap { address($0, name: name) }
    }

    /// A name stands for `${listener}` in topics.
    private func listenerName(_ setting: Setting, _ path: String) -> String? {
        guard let name = values.text(setting, path) else { return nil }
        guard !name.contains(where: { "/+#".contains($0) }) else {
            diagnostics.error(setting.origin, path, "a name holds no / + or #, as it can stand in topics")
            return nil
        }
        return name
    }

    private func address(_ setting: Setting, name: String?) -> Placed? {
        do {
            return (try ListenValue.parse(setting.text, name: name), setting.origin)
        } catch {
            diagnostics.error(setting.origin, "listen", "\(values.quoted(setting.text)): \(error.message)")
            return nil
        }
    }

    private func checkRepetitions(_ listeners: [Placed]) {
        var seen: Set<String> = []
        for (address, origin) in listeners where address.port != 0 {
            if !seen.insert("\(address.host) \(address.port)").inserted {
                diagnostics.error(
                    origin, "listen", "\(ListenAddress(host: address.host, port: address.port).name) is given twice")
            }
        }
    }
}
