/// A host with an optional port, as it is written on a command line: `mqtt.example.com`, `mqtt.example.com:14567`,
/// `[2001:db8::7]:14567`.
package enum EndpointText {
    package struct Problem: Error, Equatable, CustomStringConvertible {
        /// What is wrong and what would be right.
        package var description: String
    }

    /// - Returns: The host without brackets, and the port if there is one.
    package static func parse(_ text: String) throws(Problem) -> (host: String, port: Int?) {
        do {
            let endpoint = try EndpointValue.parse(text)
            let hasPort = text.hasSuffix("]") ? false : text.contains(":")
            return (endpoint.host, hasPort ? endpoint.port : nil)
        } catch {
            throw Problem(description: error.message)
        }
    }

    /// Why `host` is neither a host name nor an IP address; `nil` if it is one of them.
    package static func problem(withHost host: String) -> String? {
        HostValue.problem(with: host)
    }
}
