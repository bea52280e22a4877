import HTTPTypes

/// The paths that there are, and the methods of each, for clients that miss them.
struct RouteList: Sendable {
    private struct Route {
        let parts: [Substring]
        var methods: Set<String>
    }

    private let routes: [Route]

    /// - Parameter all: Paths as the router has them, in which `{id}` stands for anything.
    init(_ all: [(path: String, method: HTTPRequest.Method)]) {
        var routes: [String: Route] = [:]
        for (path, method) in all {
            routes[path, default: Route(parts: path.split(separator: "/"), methods: [])].methods.insert(method.rawValue)
        }
        self.routes = Array(routes.values)
    }

    /// 404 if there is no such path, 405 if it does not take this method; `nil` if it does.
    func problem(with path: String, _ method: HTTPRequest.Method) -> AdminError? {
        let parts = path.split(separator: "/")
        guard let route = routes.first(where: { Self.matches($0.parts, parts) }) else {
            return AdminError(.notFound, "there is nothing at this path; /api/openapi.json says what there is")
        }
        var methods = route.methods
        if methods.contains("GET") { methods.insert("HEAD") }
        guard !methods.contains(method.rawValue) else { return nil }
        let allowed = methods.sorted().joined(separator: ", ")
        return AdminError(.methodNotAllowed, "this path takes \(allowed), not \(method.rawValue)", [.allow: allowed])
    }

    private static func matches(_ route: [Substring], _ parts: [Substring]) -> Bool {
        route.count == parts.count
            && zip(route, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $0.hasPrefix(":") }
    }
}
