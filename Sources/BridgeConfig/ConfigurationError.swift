/// One thing that is wrong with a configuration: where, which key, what, and what would be right.
///
/// Never holds a secret: values of keys that may be one are not quoted.
package struct ConfigurationError: Error, Sendable, Equatable {
    package var origin: Origin
    /// Path of the key (`uplink.port`, `routes[2].local`); `nil` where the file as a whole is at fault.
    package var key: String?
    /// What is wrong and what would be right, in one line.
    package var message: String

    package init(origin: Origin, key: String? = nil, message: String) {
        self.origin = origin
        self.key = key
        self.message = message
    }
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        guard let key else { return "\(origin): \(message)" }
        return "\(origin): \(key): \(message)"
    }
}

/// Everything that is wrong with a configuration, in the order of its lines. Never empty.
package struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    package let all: [ConfigurationError]

    init(_ errors: [ConfigurationError]) {
        precondition(!errors.isEmpty, "an error without a reason")
        let places = errors.enumerated().sorted { a, b in
            let (first, second) = (a.element.origin.sortKey, b.element.origin.sortKey)
            return first == second ? a.offset < b.offset : first < second
        }
        all = places.map(\.element)
    }

    /// One line for each.
    package var description: String {
        all.map(\.description).joined(separator: "\n")
    }
}
