/// The bundles of a folder as they were at one moment: which devices have one, and with which password.
package struct BundleBook: Sendable, Equatable {
    /// What a bundle gives its device.
    package enum Entry: Sendable, Equatable {
        case password(Secret)
        /// The bundle has no password that could be used. The text says why, and what would be right.
        case unusable(String)
    }

    /// Something about one bundle, or about the folder, that the operator should know.
    package struct Problem: Sendable, Hashable, CustomStringConvertible {
        package enum Kind: String, Sendable, CaseIterable {
            /// A file of the bundle can't be read, so that the bundle is not used.
            case damaged
            /// There is no password in the bundle, or a placeholder in its place.
            case withoutPassword = "without_password"
            /// Two places of the bundle say different things.
            case contradiction
            /// Another bundle is for the same device.
            case duplicate
            /// The bundle is for another broker than the configured one.
            case otherBroker = "other_broker"
            /// Other users of this machine can read a password.
            case exposed
            /// Something in the folder is not looked at.
            case leftOut = "left_out"
        }

        package var kind: Kind
        /// With the path of the bundle or of a file in it. Contains no secret.
        package var description: String

        package init(_ kind: Kind, _ description: String) {
            self.kind = kind
            self.description = description
        }
    }

    private var entries: [ExactText: Entry] = [:]
    /// In the order of the folder's names.
    package var problems: [Problem] = []

    package init() {}

    /// How many devices have a bundle.
    package var count: Int { entries.count }

    /// How many devices have a bundle with a password.
    package var usableCount: Int { count { if case .password = $0 { true } else { false } } }

    private func count(where isCounted: (Entry) -> Bool) -> Int { entries.values.count(where: isCounted) }

    /// The bundle of the device with this id, byte for byte.
    package subscript(deviceID: String) -> Entry? { entries[ExactText(text: deviceID)] }

    /// - Returns: whether this is the device's first bundle. Another one is not used.
    package mutating func add(_ deviceID: String, _ entry: Entry) -> Bool {
        let key = ExactText(text: deviceID)
        guard entries[key] == nil else { return false }
        entries[key] = entry
        return true
    }
}
