/// One call of the application's, such as a publish. A later one has a greater number, which keeps them in order. The
/// number of a subscribe is also the name of its subscription.
package struct ClientOperation: Hashable, Comparable, Sendable {
    package let number: UInt64

    /// The session's own, which comes before all that the application has asked for.
    static let none = Self(number: 0)

    package init(number: UInt64) { self.number = number }

    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
