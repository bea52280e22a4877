/// One call of the application's, such as a publish. A later one has a greater number, which keeps them in order. The
/// number of a subscribe is also the name of its subscription.
struct ClientOperation: Hashable, Comparable, Sendable {
    let number: UInt64

    static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
