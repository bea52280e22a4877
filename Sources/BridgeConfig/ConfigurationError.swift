/// One error in a configuration: where it is, which key it is about, what is wrong, and what would be right.
///
/// It never contains a secret: the value of a key that may be one is not quoted.
package struct ConfigurationError: Error, Sendable, Equatable {
    package var origin: Origin
    /// Path of the key (`uplink.port`, `routes[2].local`); `nil` if the error is about the file as a whole.
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
        // A key is whatever the file has before a colon.
        TextValue.printable(key.map { "\(origin): \($0): \(message)" } ?? "\(origin): \(message)")
    }
}

/// Every error in a configuration, in the order of its lines. Never empty.
package struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    package let all: [ConfigurationError]

    init(_ errors: [ConfigurationError]) {
        precondition(!errors.isEmpty, "there must be at least one error")
        let places = errors.enumerated().sorted { a, b in
            let (first, second) = (a.element.origin.sortKey, b.element.origin.sortKey)
            return first == second ? a.offset < b.offset : first < second
        }
        all = places.map(\.element)
    }

    /// One line per error.
    package var description: String {
        all.map(\.description).joined(separator: "\n")
    }
}
