import NIOCore

/// The properties of one packet, in their order.
///
/// Always empty in MQTT 3.1 and 3.1.1, which have no properties.
package struct Properties: Sendable, Equatable {
    /// All of them, including those that were not understood.
    package private(set) var list: [Property]

    package init(_ list: [Property] = []) { self.list = list }

    /// Whether the packet has no properties.
    package var isEmpty: Bool { list.isEmpty }

    /// Adds a property at the end, without checking whether it is there already.
    package mutating func append(_ property: Property) { list.append(property) }

    /// Removes those for which the closure returns true.
    package mutating func removeAll(where matches: (Property) -> Bool) { list.removeAll(where: matches) }

    /// Whether one of these properties may be among those that could not be read.
    package func hasUnread(_ identifiers: PropertyIdentifier...) -> Bool {
        list.contains {
            guard case .unread(let bytes) = $0 else { return false }
            guard let identifier = PropertyIdentifier(first: bytes), identifier.end(in: bytes) == bytes.writerIndex
            else { return true }
            return identifiers.contains(identifier)
        }
    }

    /// Sets the Session Expiry Interval everywhere, including repetitions of it, which count as unread.
    /// - Parameter seconds: `UInt32.max` means that the session never expires.
    package mutating func setSessionExpiry(_ seconds: UInt32) {
        sessionExpiryInterval = seconds
        for (index, property) in list.enumerated() {
            guard case .unread(var bytes) = property, PropertyIdentifier(first: bytes) == .sessionExpiryInterval,
                PropertyIdentifier.sessionExpiryInterval.end(in: bytes) == bytes.writerIndex
            else { continue }
            bytes.setInteger(seconds, at: bytes.readerIndex + 1)
            list[index] = .unread(bytes)
        }
    }

    func first<Value>(_ value: (Property) -> Value?) -> Value? {
        for property in list {
            if let value = value(property) { return value }
        }
        return nil
    }

    /// Replaces the first property with `identifier`, or adds the property at the end. `nil` removes it.
    mutating func set(_ identifier: PropertyIdentifier, _ property: Property?) {
        guard let property else { return list.removeAll { $0.identifier == identifier } }
        if let index = list.firstIndex(where: { $0.identifier == identifier }) {
            list[index] = property
        } else {
            list.append(property)
        }
    }
}

extension Properties: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: Property...) { self.init(elements) }
}
