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
