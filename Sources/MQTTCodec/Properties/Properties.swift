import NIOCore

/// The properties of one packet, in the order they came in.
///
/// Empty in MQTT 3.1 and 3.1.1, which have none.
package struct Properties: Sendable, Equatable {
    package private(set) var list: [Property]

    package init(_ list: [Property] = []) { self.list = list }

    package var isEmpty: Bool { list.isEmpty }

    /// Adds one at the end, without looking whether it is there already.
    package mutating func append(_ property: Property) { list.append(property) }

    package mutating func removeAll(where matches: (Property) -> Bool) { list.removeAll(where: matches) }

    /// Whether one of these may be among what could not be read.
    package func hasUnread(_ identifiers: PropertyIdentifier...) -> Bool {
        list.contains {
            guard case .unread(let bytes) = $0 else { return false }
            guard let identifier = PropertyIdentifier(first: bytes), identifier.end(in: bytes) == bytes.writerIndex
            else { return true }
            return identifiers.contains(identifier)
        }
    }

    /// Sets the Session Expiry Interval wherever one stands, also where it could not be read for standing there again.
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

    /// Takes the place of the first property with `identifier`, or is added at the end; `nil` removes it.
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
