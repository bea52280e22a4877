/// Recognizes the variables that Kubernetes sets in every container for each service of its namespace, and `docker --link`
/// for a linked container. For a service called `mqtt` these are `MQTT_PORT=tcp://10.0.0.1:1883`, `MQTT_SERVICE_HOST` and
/// so on. They describe that service and are not settings of this program.
struct ServiceLinks {
    /// The names of the variables, by the service name that they begin with.
    private var families: [String: [String]] = [:]
    /// The names of all these variables.
    private(set) var names: Set<String> = []

    /// - Parameter prefixes: Names that begin with none of these are not examined.
    init(in environment: [String: String], prefixes: [String]) {
        for (name, value) in environment where prefixes.contains(where: name.hasPrefix) {
            guard let service = Self.service(of: name, value) else { continue }
            families[service, default: []].append(name)
        }
        // These names of old Docker versions are recognized only beside others of the same service.
        for name in environment.keys where prefixes.contains(where: name.hasPrefix) {
            for service in families.keys where name == "\(service)_NAME" || name.hasPrefix("\(service)_ENV_") {
                families[service]?.append(name)
            }
        }
        names = Set(families.values.joined())
    }

    /// One warning per service, with the sorted names of its variables.
    var warnings: [(names: [String], message: String)] {
        families.sorted { $0.key < $1.key }.map { service, names in
            let name = service.lowercased().replacing("_", with: "-")
            let isOne = names.count == 1
            return (
                names.sorted(),
                "ignored; \(isOne ? "it looks" : "they look") like what Kubernetes and docker --link set for a service "
                    + "called \"\(name)\""
            )
        }
    }

    /// How to keep the variables out of the environment.
    static func advice(for count: Int) -> String {
        "in Kubernetes, enableServiceLinks: false keeps \(count == 1 ? "it" : "them") away"
    }

    /// The service that the variable belongs to; `nil` if it is not a service variable.
    private static func service(of name: String, _ value: String) -> String? {
        for suffix in ["_SERVICE_HOST", "_SERVICE_PORT"] where name.hasSuffix(suffix) {
            return String(name.dropLast(suffix.count))
        }
        if let range = name.firstRange(of: "_SERVICE_PORT_") { return String(name[..<range.lowerBound]) }
        if name.hasSuffix("_PORT"), isAddress(value), !name.contains("_TCP_"), !name.contains("_UDP_") {
            return String(name.dropLast("_PORT".count))
        }
        // MQTT_PORT_1883_TCP, MQTT_PORT_1883_TCP_PROTO, ..._PORT and ..._ADDR.
        guard let range = name.firstRange(of: "_PORT_") else { return nil }
        let parts = name[range.upperBound...].split(separator: "_", omittingEmptySubsequences: false)
        guard let number = parts.first, !number.isEmpty, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            parts.count > 1, ["TCP", "UDP", "SCTP"].contains(parts[1])
        else { return nil }
        return String(name[..<range.lowerBound])
    }

    private static func isAddress(_ value: String) -> Bool {
        ["tcp://", "udp://", "sctp://"].contains(where: value.lowercased().hasPrefix)
    }
}
