/// The smallest, the largest and the mean of some values.
package struct Spread: Sendable, Equatable {
    /// How many values there are.
    package private(set) var count = 0
    private var sum = 0.0
    private var smallest = Double.infinity
    private var largest = -Double.infinity

    package init() {}

    /// Takes one more value into account.
    package mutating func add(_ value: Double) {
        count += 1
        sum += value
        smallest = min(smallest, value)
        largest = max(largest, value)
    }

    /// By the names of their label; empty if there are no values.
    package var named: [(name: String, value: Double)] {
        count == 0 ? [] : [("min", smallest), ("mean", sum / Double(count)), ("max", largest)]
    }

    /// The spread of the values of both.
    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.count += right.count
        sum.sum += right.sum
        sum.smallest = min(left.smallest, right.smallest)
        sum.largest = max(left.largest, right.largest)
        return sum
    }
}
