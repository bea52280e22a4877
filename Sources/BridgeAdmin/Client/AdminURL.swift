import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where an admin endpoint is: `http://127.0.0.1:9883`, and a path before its own if a proxy adds one.
package struct AdminURL: Sendable, Equatable, CustomStringConvertible {
    package let host: String
    package let port: Int
    /// Without a slash at its end; empty if there is none.
    package let path: String

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
        self.path = ""
    }

    /// Throws an error that says what would be right.
    package init(_ text: String) throws(AdminClientError) {
        let example = "a URL looks like http://127.0.0.1:9883"
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, let host = parts.host, !host.isEmpty
        else { throw AdminClientError("\(text): \(example)") }
        guard scheme.lowercased() == "http" else {
            throw AdminClientError("\(text): only http is understood here, not \(scheme); \(example)")
        }
        guard parts.query == nil, parts.fragment == nil, parts.user == nil, parts.password == nil else {
            throw AdminClientError("\(text): it has more than host, port and path; \(example)")
        }
        let port = parts.port ?? 80
        guard (1...65_535).contains(port) else {
            throw AdminClientError("\(text): a port is a number from 1 to 65535; \(example)")
        }
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        self.port = port
        self.path = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path
    }

    /// Host and port, as the header `Host` has them.
    var authority: String { ListenAddress(host: host, port: port).name }

    package var description: String { "http://\(authority)\(path)" }
}

/// An admin endpoint that could not be asked, or did not answer as one; the text says why.
package struct AdminClientError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
